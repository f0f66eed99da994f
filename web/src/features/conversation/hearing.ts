// New messages are told to who listens: each once, with whose it is; not one's own, not what
// was said while one was away, nothing of chats that make no sound.

import { heard } from '../../i18n/words';
import { muted } from '../../model/chats.svelte';
import type { World } from '../../model/world';
import { announce } from '../../ui/announcer.svelte';

export function hearing({ engine, chats, route }: World) {
	engine.on('messageChanged', ({ message, new: isNew, late }) => {
		if (!isNew || late || message.mine || message.notice || message.retracted) return;
		const [chat, here] = [chats.of(message.chat), route.chat === message.chat];
		if (chat && muted(chat) && !here) return;
		announce(heard(message, chat, here));
	});
}
