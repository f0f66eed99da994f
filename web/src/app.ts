// The features, in the order in which they are asked: the first gate that is wanted stands
// in place of all, and menus are in this order.

import type { Feature } from './feature';
import { chatList } from './features/chats';
import { composer } from './features/composer';
import { conversation } from './features/conversation';
import { loading } from './features/loading';
import { onboarding } from './features/onboarding';

export const features: readonly Feature[] = [onboarding, loading, chatList, conversation, composer];
