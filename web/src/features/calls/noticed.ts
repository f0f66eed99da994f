import type { Call, Message } from '../../port/types';

/** callOf is the call that a line of a conversation speaks of: its ID, whose, with what, why it ended, for how many seconds. */
export function callOf({ params, time }: Pick<Message, 'params' | 'time'>): Pick<Call, 'id' | 'mine' | 'why' | 'answered' | 'ended'> & { video: boolean } {
	const [id = '', whose, what, why, seconds] = params ?? [];
	const lasts = Math.max(0, Number(seconds) || 0);
	return {
		id,
		mine: whose === 'mine',
		video: what === 'video',
		why: why || undefined,
		...(lasts > 0 ? { answered: new Date(Date.parse(time)).toISOString(), ended: new Date(Date.parse(time) + lasts * 1000).toISOString() } : {}),
	};
}
