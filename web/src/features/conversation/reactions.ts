import type { View } from '../../feature';
import type { Message } from '../../port/types';

/** toggled is one's own reactions with a sign more, or less if it was there. */
export function toggled(message: Message, emoji: string): string[] {
	const own = (message.reactions ?? []).filter((r) => r.mine).map((r) => r.emoji);
	return own.includes(emoji) ? own.filter((e) => e !== emoji) : [...own, emoji];
}

/**
 * reacting is what is said to give a sign to a bubble, or to take it back: it is given to the
 * message that stands for all of it, and taken back wherever it was given.
 */
export function reacting(id: string, all: readonly Message[], emoji: string) {
	const given = all.filter((m) => m.reactions?.some((r) => r.mine && r.emoji === emoji));
	const changed = given.length > 0 ? given : all.filter((m) => m.id === id);
	return changed.map((m) => ({ do: 'react' as const, chat: m.chat, message: m.id, emoji: toggled(m, emoji) }));
}

/** picker has all others. */
export const picker: View<{ choose: (emoji: string) => void; begin?: boolean }> = { later: () => import('../../ui/emoji/Picker.svelte') };

export const usual = ['👍', '❤️', '😂', '😮', '😢', '🙏'];
