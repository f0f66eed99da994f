// The links by which strangers may call us. What was made last is kept while this page is there: nobody else has
// it as it is given away.

import { failed, type Engine } from '../../port/engine';
import type { CallLink, Failure } from '../../port/types';

/** most is how many can be open at a time (docs/protocol/calls.md). */
export const most = 16;

export class Links {
	open = $state.raw<readonly CallLink[]>([]);
	failure = $state.raw<Failure>();
	busy = $state('');
	loaded = $state(false);
	#made = $state.raw<CallLink>();

	/** made is the one that is shown, as long as it is good. */
	readonly made = $derived(this.open.some((l) => l.id === this.#made?.id) ? this.#made : undefined);

	load(engine: Pick<Engine, 'do'>) {
		return this.#ask(engine, {});
	}

	/** make makes one that lasts for so many seconds. */
	async make(engine: Pick<Engine, 'do'>, lasts: number) {
		this.busy = 'make';
		const open = await this.#ask(engine, { lasts });
		this.#made = open?.find((l) => l.uri) ?? this.#made;
	}

	async revoke(engine: Pick<Engine, 'do'>, id: string) {
		this.busy = id;
		await this.#ask(engine, { revoke: id });
		if (this.failure?.code === 'missing') await this.load(engine); // it was used, or has ended
	}

	/** another puts the one that is shown away: it stays open. */
	another() {
		this.#made = undefined;
	}

	async #ask(engine: Pick<Engine, 'do'>, what: { lasts?: number; revoke?: string }) {
		const answer = await engine.do({ do: 'callLinks', ...what });
		this.busy = '';
		this.failure = failed(answer);
		if (this.failure) return undefined;
		this.loaded = true;
		return (this.open = answer.links ?? []);
	}
}

export const links = new Links();
