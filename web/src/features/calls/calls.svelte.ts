// What a person does with a call, and the seat of this window for it.

import { m } from '../../i18n';
import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Call } from '../../port/types';
import { announce } from '../../ui/announcer.svelte';
import { toast } from '../../ui/toast.svelte';
import { wrongOf } from './capture.svelte';
import { keeps } from './held';
import { live, type Live } from './live.svelte';
import { Seat } from './seat.svelte';
import { calledOf } from './names';
import { endWords } from './words';

export class Calls {
	/** opening is that the engine was asked for a call and has not told of one yet */
	opening = $state.raw<{ chat: string; video: boolean } | undefined>(undefined);
	#world: World | undefined;
	#seat: Seat | undefined;
	#filmed = false; // before the screen was shown
	#live: Live;
	#makes: (w: World) => Seat;

	constructor(of = live, makes = (w: World) => new Seat(w.engine, of.seat)) {
		this.#live = of;
		this.#makes = makes;
	}

	/** seat is that of this window. */
	seat(w: World): Seat {
		if (this.#seat && this.#world === w) return this.#seat;
		this.#world = w;
		const seat = (this.#seat = this.#makes(w));
		seat.failed = (call, error) => this.#failed(call, error);
		seat.darkened = () => void this.#mute({ video: true });
		this.#live.ended = (call) => this.#ended(w, call);
		void keeps(this.#live.seat);
		addEventListener('beforeunload', (e) => this.#live.on && this.#live.here && e.preventDefault());
		addEventListener('pagehide', () => this.#live.here && this.hangUp(w, this.#live.on));
		return seat;
	}

	/** place calls somebody, or a stranger by the token of a link of theirs. */
	async place(w: World, chat: string, video: boolean, link?: string) {
		this.seat(w);
		this.#live.sorry = undefined;
		if (this.opening) return;
		this.opening = { chat, video };
		const answer = await w.engine.do({ do: 'placeCall', chat, video, seat: this.#live.seat, link });
		this.opening = undefined;
		const failure = failed(answer);
		if (failure) this.#live.sorry = { chat, video, failure, link: Boolean(link) };
		else if (link && answer.call) this.#live.byLink = answer.call;
	}

	/** accept answers a call that rings; another one that is on ends before. */
	async accept(w: World, call: Call, video: boolean) {
		this.seat(w);
		const on = this.#live.on;
		if (on) await w.engine.do({ do: 'hangUpCall', call: on.id });
		const failure = failed(await w.engine.do({ do: 'answerCall', call: call.id, video, seat: this.#live.seat }));
		if (failure) this.#live.sorry = { chat: call.chat, video: call.video ?? false, failure };
	}

	decline(w: World, call: Call) {
		void w.engine.do({ do: 'declineCall', call: call.id });
	}

	hangUp(w: World, call: Call | undefined) {
		if (call) void w.engine.do({ do: 'hangUpCall', call: call.id });
	}

	/** microphone switches it off, at once, or on. */
	microphone(w: World, on: boolean) {
		this.seat(w).capture.quiet(!on);
		return this.#mute({ audio: !on });
	}

	async camera(w: World, on: boolean) {
		const seat = this.seat(w);
		if (on) return this.#add(w, await seat.light());
		await seat.dark();
		return this.#mute({ video: true });
	}

	async share(w: World, on: boolean) {
		const seat = this.seat(w);
		if (!on) return this.camera(w, this.#filmed);
		this.#filmed = seat.capture.shows === 'camera';
		const how = await seat.share();
		if (how) await this.#add(w, how === 'place');
	}

	// a picture begins: where the call has no place for one yet, that is asked for
	async #add(w: World, placed: boolean) {
		const call = this.#live.on;
		if (!call) return;
		if (placed) return void (this.#seat?.capture.video && (await this.#mute({ video: false })));
		const failure = failed(await w.engine.do({ do: 'addVideo', call: call.id }));
		if (!failure) return;
		await this.#seat?.dark();
		toast.say(m.calls_no_video());
	}

	#mute(change: { audio?: boolean; video?: boolean }) {
		const call = this.#live.on;
		if (!call || !this.#world) return undefined;
		const { audio = false, video = false } = { ...call.muted, ...change };
		return this.#world.engine.do({ do: 'muteCall', call: call.id, audio, video });
	}

	#failed(call: string, error: unknown) {
		const on = this.#live.on;
		if (on?.id === call && on.state !== 'active' && !this.#seat?.capture.audio) this.#live.sorry = { chat: on.chat, video: on.video ?? false, wrong: wrongOf(error) };
	}

	// what one hears of an end besides what stands there
	#ended(w: World, call: Call) {
		this.#seat?.over(call.id); // nobody else says so where the engine has gone
		const words = endWords(call, calledOf(w, call), w.settings.tag);
		if (!words || this.#live.sorry) return;
		if (call.seat === this.#live.seat || call.why?.endsWith('elsewhere')) toast.say(words);
		else announce(words);
	}
}

export const calls = new Calls();
