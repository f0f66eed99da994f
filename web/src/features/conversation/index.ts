// One conversation: its head, its messages, and what can be done with one of them.

import type { Action, Feature } from '../../feature';
import { m } from '../../i18n';
import { hopeless } from '../../model/media';
import { asking } from './asking.svelte';
import Conversation from './Conversation.svelte';
import Nothing from './Nothing.svelte';

export const conversation: Feature = {
	name: 'conversation',
	main: { now: Conversation },
	empty: { now: Nothing },
	over: { when: () => Boolean(asking.deleting ?? asking.forwarding), view: { later: () => import('./Asked.svelte') } },
	messageActions: ({ engine, drafts }, message) => {
		const { chat, id, text } = message;
		if (message.notice) return [];
		const remove: Action = { label: m.delete(), icon: 'trash', danger: true, run: () => (asking.deleting = message) };
		if (message.retracted || message.unreadable) return [remove];
		const told = message.delivery !== 'failed' && message.delivery !== 'pending';
		const all: (Action | false | undefined | '')[] = [
			{ label: m.reply(), icon: 'reply', run: () => drafts.change(chat, { reply: id, corrects: undefined }) },
			text && { label: m.copy(), icon: 'copy', run: () => void navigator.clipboard.writeText(text) },
			told && { label: m.forward(), icon: 'forwardTo', run: () => (asking.forwarding = message) },
			told && { label: message.starred ? m.unstar() : m.star(), icon: 'star', run: () => void engine.do({ do: 'star', chat, message: id, on: !message.starred }) },
			message.mine && told && text && !message.file && { label: m.edit(), icon: 'edit', run: () => drafts.set(chat, { text, corrects: id }) },
			message.delivery === 'failed' && !hopeless(message) && { label: m.try_again(), icon: 'retry', run: () => void engine.do({ do: 'retry', chat, message: id }) },
			remove,
		];
		return all.filter((a) => typeof a === 'object');
	},
};
