// The calls that were: those of this device, and those that only the server has seen.

import type { World } from '../../model/world';
import type { Call } from '../../port/types';
import { gone } from './held';
import { live } from './live.svelte';

const key = 'mirsal calls seen'; // until when missed calls were seen, for all windows
const page = 50;

export class Log {
	calls = $state.raw<readonly Call[]>([]);
	more = $state(false);
	loaded = $state(false);
	#world: World | undefined;
	#seen = $state(read());

	/** ended are those that are over, newest first */
	readonly ended = $derived(this.calls.filter((c) => c.state === 'ended' && !c.silent));
	/** silent are those that have made no sound */
	readonly silent = $derived(this.calls.filter((c) => c.silent));
	readonly missed = $derived(this.ended.filter((c) => this.fresh(c)));

	start(world: World) {
		this.#world = world;
		world.connection.onOpen((address) => address && void this.load());
		if (world.connection.address) void this.load(); // it was there before this
		world.engine.on('callChanged', ({ call }) => this.#is(call));
		addEventListener('storage', (e: StorageEvent) => e.key === key && (this.#seen = read()));
		$effect.root(() => {
			$effect(() => void (live.missed = this.missed.length));
			$effect(() => this.#orphan(live.here ? undefined : live.on));
		});
	}

	/** fresh is a missed call that was not seen yet. */
	fresh(call: Call): boolean {
		return call.why === 'missed' && !call.silent && Date.parse(call.at) > this.#seen;
	}

	async load() {
		const { calls, more } = await this.#world!.engine.do({ do: 'listCalls', limit: page });
		if (!calls) return;
		live.only(calls.filter((c) => c.state !== 'ended'));
		this.calls = calls;
		this.more = more ?? false;
		this.loaded = true;
	}

	async older() {
		const last = this.ended.at(-1);
		if (!last || !this.more) return;
		const { calls, more } = await this.#world!.engine.do({ do: 'listCalls', before: last.at, limit: page });
		if (!calls) return;
		const here = new Set(this.calls.map((c) => c.id));
		this.calls = [...this.calls, ...calls.filter((c) => !here.has(c.id))];
		this.more = more ?? false;
	}

	/** look says that what is there was seen. */
	look() {
		this.#seen = Date.now();
		try {
			localStorage.setItem(key, String(this.#seen));
		} catch {
			// it is for this window then
		}
	}

	// a call whose window has gone is ended by those that are left
	#orphan(call: Call | undefined) {
		return call?.seat ? gone(call.seat, () => void this.#world!.engine.do({ do: 'hangUpCall', call: call.id })) : undefined;
	}

	#is(call: Call) {
		const others = this.calls.filter((c) => c.id !== call.id);
		if (call.state !== 'ended') return void (this.calls = others);
		this.calls = [call, ...others].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
	}
}

// a window that has never counted begins with now: what was before is no news
function read(): number {
	try {
		const kept = Number(localStorage.getItem(key));
		if (kept) return kept;
		localStorage.setItem(key, String(Date.now()));
	} catch {
		// as if it were new
	}
	return Date.now();
}

export const log = new Log();
