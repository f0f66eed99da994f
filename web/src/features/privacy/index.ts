// What others learn and keep: blocking and reporting, messages that disappear, and what this
// server can see.

import type { Feature } from '../../feature';
import { m } from '../../i18n';
import TimerMark from './TimerMark.svelte';

export const privacy: Feature = {
	name: 'privacy',
	top: { now: TimerMark },
	pages: { sees: { later: () => import('./Sees.svelte') }, blocked: { later: () => import('./Blocked.svelte') } },
	panels: { timer: { later: () => import('./Timer.svelte') }, block: { later: () => import('./Block.svelte') } },
	chatActions: ({ route, engine }, chat) => {
		const show = (panel: string) => () => (route.chat === chat.address ? route.show(panel) : route.go({ chat: chat.address, panel }));
		if (chat.lock.why === 'server') return [];
		if (chat.blocked) return [{ label: m.privacy_unblock(), icon: 'block', run: () => void engine.do({ do: 'block', address: chat.address, on: false }) }];
		return [
			{ label: m.privacy_timer(), icon: 'timer', run: show('timer') },
			...(chat.room ? [] : [{ label: m.privacy_block_or_report(), icon: 'block' as const, danger: true, run: show('block') }]),
		];
	},
};
