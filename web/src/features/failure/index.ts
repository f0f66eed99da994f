// What is said when something does not go on by itself: one calm page or line for each, and
// never a way that would destroy what cannot be had again.

import type { Feature } from '../../feature';
import Failure from './Failure.svelte';
import { failure as state } from './failure.svelte';
import Line from './Line.svelte';

export const failure: Feature = {
	name: 'failure',
	start({ engine }) {
		void state.clock();
		engine.on('status', () => void state.clock());
	},
	gate: { when: (world) => state.gate(world) !== undefined, view: { now: Failure } },
	notice: { when: (world) => state.notice(world) !== undefined, view: { now: Line } },
};
