// The calls that are on, as every window knows them. What opens a microphone, rings and
// draws comes when there is one.

import type { World } from '../../model/world';
import type { Call, Failure } from '../../port/types';

/** Sorry is why a call could not be placed or has ended, for whoever wanted it. */
export interface Sorry {
	chat: string;
	video: boolean;
	call?: Call;
	failure?: Failure;
	/** it was by a link, which may be used up: there is no second time */
	link?: boolean;
	/** of the microphone */
	wrong?: 'refused' | 'missing' | 'failed';
}

const told: readonly string[] = ['rejected', 'unanswered', 'failed', 'insecure'];

export class Live {
	/** seat names this window: the microphone of a call is in one of them */
	readonly seat = crypto.randomUUID();
	#all = $state.raw<readonly Call[]>([]);
	/** ringing waits for an answer here, on goes on */
	readonly ringing = $derived(this.#all.find((c) => c.state === 'incoming'));
	readonly on = $derived(this.#all.find((c) => c.state !== 'incoming'));
	readonly here = $derived(this.on?.seat === this.seat);
	#aside = $state.raw<readonly string[]>([]); // calls that are a bar alone, while one does something else
	sorry = $state.raw<Sorry | undefined>(undefined);
	/** byLink is the call that was placed by a link last */
	byLink = '';
	/** missed counts those that one has not seen yet */
	missed = $state(0);
	/** ended hears of calls that were on, or rang, as they were last */
	ended: (call: Call) => void = () => {};

	/** large says that something of a call stands over all. */
	get large(): boolean {
		return Boolean(this.sorry || this.asks || this.stage);
	}
	/** asks is a call that rings, and stage the one that is spoken here, unless they were put aside. */
	get asks(): Call | undefined {
		return this.#open(this.ringing);
	}
	get stage(): Call | undefined {
		return this.here ? this.#open(this.on) : undefined;
	}
	/** bar is the one that stands above all because it was put aside, or is in another window. */
	get bar(): Call | undefined {
		return this.on && !this.stage ? this.on : this.ringing && !this.asks ? this.ringing : undefined;
	}
	#open = (call: Call | undefined) => (call && !this.#aside.includes(call.id) ? call : undefined);

	/** aside makes a call small, or large again. */
	aside(call: Call, on: boolean) {
		const others = this.#aside.filter((id) => id !== call.id);
		this.#aside = on ? [...others, call.id] : others;
	}

	start(world: World) {
		world.engine.on('callChanged', ({ call }) => this.is(call));
	}

	/** only takes those that an engine has, which may be another one than before: others are over. */
	only(calls: readonly Call[]) {
		const here = new Set(calls.map((c) => c.id));
		for (const c of this.#all) if (!here.has(c.id)) this.is({ ...c, state: 'ended', why: 'failed', ended: new Date().toISOString() });
		for (const c of calls) this.is(c);
	}

	/** is takes a call as it is now. */
	is(call: Call) {
		const before = this.#all.find((c) => c.id === call.id);
		const others = this.#all.filter((c) => c.id !== call.id);
		if (call.state !== 'ended') {
			if (before?.state === 'incoming' && call.state !== 'incoming') this.aside(call, false); // what is answered is looked at
			this.#all = [...others, call];
			return;
		}
		this.#all = others;
		if (!before) return;
		this.aside(call, false);
		if (call.seat === this.seat && told.includes(call.why ?? '')) this.sorry = { chat: call.chat, video: call.video ?? false, link: call.id === this.byLink, ...this.sorry, call };
		this.ended(call);
	}
}

export const live = new Live();

/** able says whether this browser can call at all. (Asking for the name makes nothing.) */
export const able = (): boolean => typeof RTCPeerConnection === 'function' && typeof navigator.mediaDevices?.getUserMedia === 'function';
