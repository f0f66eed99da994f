// One conversation: its head, its messages, and what can be done with one of them.

import type { Action, Feature } from '../../feature';
import { m } from '../../i18n';
import { hopeless } from '../../model/media';
import type { Engine } from '../../port/engine';
import type { Message } from '../../port/types';
import { asking } from './asking.svelte';
import Conversation from './Conversation.svelte';
import Nothing from './Nothing.svelte';
import { hearing } from './hearing';

export const conversation: Feature = {
	name: 'conversation',
	start: hearing,
	main: { now: Conversation },
	empty: { now: Nothing },
	over: { when: () => Boolean(asking.deleting ?? asking.holding ?? asking.forwarding ?? asking.dating), view: { later: () => import('./Asked.svelte') } },
	chatActions: (_, { address, last, active }) => (last ? [{ label: m.to_date(), icon: 'calendar', run: () => (asking.dating = { chat: address, from: active }) }] : []),
	messageActions: ({ engine, drafts }, message, all) => {
		const { chat, id, text } = message;
		if (message.notice) return [];
		const remove: Action = { label: m.delete(), icon: 'trash', danger: true, run: () => (asking.deleting = all) };
		if (message.retracted || message.unreadable) return [remove];
		const told = message.delivery !== 'failed' && message.delivery !== 'pending';
		const words = message.file ? message.file.caption : id; // the message whose words these are
		const again = all.filter((x) => x.delivery === 'failed' && !hopeless(x));
		const actions: (Action | false | undefined | '')[] = [
			{ label: m.reply(), icon: 'reply', run: () => drafts.change(chat, { reply: id, corrects: undefined }) },
			text && { label: m.copy(), icon: 'copy', run: () => void navigator.clipboard.writeText(text) },
			told && { label: m.forward(), icon: 'forwardTo', run: () => (asking.forwarding = all) },
			told && { label: message.starred ? m.unstar() : m.star(), icon: 'star', run: () => star(engine, message, all) },
			message.mine && told && text && words && { label: m.edit(), icon: 'edit', run: () => drafts.set(chat, { text, corrects: words }) },
			again.length > 0 && { label: m.try_again(), icon: 'retry', run: () => again.forEach((x) => void engine.do({ do: 'retry', chat, message: x.id })) },
			remove,
		];
		return actions.filter((a) => typeof a === 'object');
	},
};

// One message bears the star of its bubble.
function star(engine: Engine, { id, starred }: Message, all: readonly Message[]) {
	const marked = starred ? all.filter((x) => x.starred) : all.filter((x) => x.id === id);
	for (const x of marked) void engine.do({ do: 'star', chat: x.chat, message: x.id, on: !starred });
}
