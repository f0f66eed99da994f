import type { Message } from '../../port/types';

/** toggled is one's own reactions with a sign more, or less if it was there. */
export function toggled(message: Message, emoji: string): string[] {
	const own = (message.reactions ?? []).filter((r) => r.mine).map((r) => r.emoji);
	return own.includes(emoji) ? own.filter((e) => e !== emoji) : [...own, emoji];
}

export const usual = ['👍', '❤️', '😂', '😮', '😢', '🙏'];
