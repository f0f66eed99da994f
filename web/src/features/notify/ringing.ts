// A call that rings, or was missed, while nobody looks: one notification for each call, which
// becomes that of a missed one, or goes when it is answered or declined anywhere.

import { m } from '../../i18n';
import type { Call } from '../../port/types';

/** tagOf is what the notification of a call is known by. */
export const tagOf = (call: Call) => `call ${call.id}`;

/** callWords is what is told of a call, '' where nothing is. */
export function callWords(call: Call): string {
	if (call.mine || call.silent || call.late) return '';
	if (call.state === 'incoming') return call.video ? m.calls_notify_video() : m.calls_notify();
	return call.state === 'ended' && call.why === 'missed' ? m.calls_notify_missed() : '';
}
