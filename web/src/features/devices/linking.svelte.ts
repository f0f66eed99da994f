// A new device on its way in, as the old one sees it. It goes on while one looks elsewhere,
// and comes to the front when a new device asks.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Failure, LinkAsked, LinkState } from '../../port/types';

/** idle: nothing yet; code: to be scanned; asked: a person has to decide; sending; held: it waits; done; over: it failed. */
export type Step = 'idle' | 'code' | 'asked' | 'sending' | 'held' | 'done' | 'over';

export class Linking {
	step = $state<Step>('idle');
	code = $state('');
	until = $state('');
	asked = $state.raw<LinkAsked | undefined>(undefined);
	moved = $state.raw<LinkState | undefined>(undefined);
	failure = $state.raw<Failure | undefined>(undefined);
	busy = $state(false);
	/** waited says that it was let in and had to wait: then others of one's devices may refuse it */
	waited = $state(false);
	#world: World | undefined;

	start(world: World) {
		this.#world = world;
		world.engine.on('linkAsked', (asked) => this.#asks(asked));
		world.engine.on('linkState', (state) => this.#moves(state));
	}

	/** show asks for a code; a former one is worth nothing from then on. */
	async show() {
		if (!this.#world || this.busy) return;
		this.busy = true;
		this.waited = false;
		this.step = 'idle';
		this.failure = this.asked = this.moved = undefined;
		const answer = await this.#world.engine.do({ do: 'linkShow' });
		this.busy = false;
		this.failure = failed(answer);
		if (this.failure) return void (this.step = 'over');
		this.code = opened(answer.text);
		this.until = answer.until ?? '';
		this.step = 'code';
	}

	/** matches says whether these are the digits that the new device shows. */
	matches(typed: string): boolean {
		const digits = latin(typed);
		return digits !== '' && digits === latin(this.asked?.check ?? '');
	}

	/** allow lets it in, with the digits that a person has read there. */
	async allow(typed: string): Promise<boolean> {
		if (!this.#world || this.step !== 'asked' || !this.matches(typed)) return false;
		this.busy = true;
		const end = this.#world.engine.do({ do: 'linkConfirm', accept: true });
		this.step = 'sending';
		const failure = failed(await end);
		this.busy = false;
		this.failure = failure;
		this.step = failure ? 'over' : 'done';
		return true;
	}

	async refuse() {
		if (this.step !== 'asked') return;
		this.step = 'over';
		this.failure = undefined;
		await this.#world?.engine.do({ do: 'linkConfirm', accept: false });
	}

	#asks(asked: LinkAsked) {
		this.asked = asked;
		this.step = 'asked';
		this.#world?.route.turn('link');
	}

	#moves(state: LinkState) {
		if (this.step === 'idle') return; // the end of a code that another one replaces, or another tab's
		this.moved = state;
		if (state.state === 'sending') this.step = 'sending';
		if (state.state === 'held') {
			this.step = 'held';
			this.waited = true;
		}
		if (state.state === 'done') this.step = 'done';
		if (state.state === 'failed' && this.step !== 'over') {
			this.step = 'over';
			this.failure = state.failure;
		}
	}
}

// opened is a code as the address of this site, so that a phone's own camera opens it there
// (docs/protocol/link.md, "The code").
const opened = (code: string) => code.replace(/^mirsal:link\?/, () => `${location.origin}/#link=`);

// latin is the digits alone, however they are written
const latin = (text: string) =>
	text.replace(/[٠-٩]/g, (d) => String(d.charCodeAt(0) - 0x660)).replace(/[۰-۹]/g, (d) => String(d.charCodeAt(0) - 0x6f0)).replace(/\D/g, '');

export const linking = new Linking();
