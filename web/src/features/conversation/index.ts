// One conversation: its head, its messages, and what can be done with one of them.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import Conversation from './Conversation.svelte';
import Nothing from './Nothing.svelte';

export const conversation: Feature = {
	name: 'conversation',
	main: { now: Conversation },
	empty: { now: Nothing },
	messageActions: ({ engine, drafts }, message) => {
		const { chat, id } = message;
		if (message.retracted || message.notice || message.unreadable) return [];
		const own = message.mine && message.delivery !== 'failed' && message.delivery !== 'pending';
		return [
			{ label: m.reply(), icon: 'reply', run: () => drafts.change(chat, { reply: id, corrects: undefined }) },
			...(message.text ? [{ label: m.copy(), icon: 'copy' as const, run: () => void navigator.clipboard.writeText(message.text!) }] : []),
			...(own && message.text && !message.file
				? [{ label: m.edit(), icon: 'edit' as const, run: () => drafts.set(chat, { text: message.text!, corrects: id }) }]
				: []),
			...(message.delivery === 'failed' ? [{ label: m.try_again(), icon: 'retry' as const, run: () => void engine.do({ do: 'retry', chat, message: id }) }] : []),
			...(message.delivery === 'pending' ? [] : [{ label: m.delete_for_me(), icon: 'trash' as const, danger: true, run: () => void engine.do({ do: 'deleteForMe', chat, messages: [id] }) }]),
			...(message.mine && message.delivery !== 'failed'
				? [{ label: m.retract(), icon: 'trash' as const, danger: true, run: () => void engine.do({ do: 'retract', chat, message: id }) }]
				: []),
		];
	},
};
