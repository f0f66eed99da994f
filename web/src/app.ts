// The features, in the order in which they are asked: the first gate that is wanted stands
// in place of all, and menus are in this order.

import type { Feature } from './feature';
import { calls } from './features/calls';
import { chatList } from './features/chats';
import { composer } from './features/composer';
import { conversation } from './features/conversation';
import { files } from './features/files';
import { devices } from './features/devices';
import { groups } from './features/groups';
import { install } from './features/install';
import { loading } from './features/loading';
import { media } from './features/media';
import { notify } from './features/notify';
import { onboarding } from './features/onboarding';
import { people } from './features/people';
import { trust } from './features/trust';
import { voice } from './features/voice';
import { privacy } from './features/privacy';
import { settings } from './features/settings';
import { wayback } from './features/wayback';
import { failure } from './features/failure';
import { search } from './features/search';
import { newRelease } from './features/update';

export const features: readonly Feature[] = [newRelease, failure, onboarding, loading, chatList, conversation, composer, people, groups, files, media, voice, trust, calls, devices, privacy, settings, wayback, install, search, notify];
