// The list of chats, and starting a new one.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import ChatList from './ChatList.svelte';

export const chats: Feature = {
	name: 'chats',
	list: { now: ChatList },
	pages: { new: { later: () => import('./NewChat.svelte') } },
	appActions: ({ route }) => [{ label: m.chat_new(), icon: 'newChat', run: () => route.turn('new') }],
};
