// What becomes of a device that joins (docs/protocol/link.md).

import { deviceLabel } from '../../device';
import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Failure, LinkState } from '../../port/types';

export type Why = 'refused' | 'offline' | 'over';

export class Joining {
	state = $state('');
	check = $state('');
	done = $state(0);
	total = $state(0);
	failed = $state<Why>();
	#until = $state('');
	#world: Pick<World, 'engine' | 'connection'>;
	#given = false; // up, by the person

	constructor(world: Pick<World, 'engine' | 'connection'>) {
		this.#world = world;
	}

	/** listen hears the engine's steps until what it returns is called. */
	listen(): () => void {
		return this.#world.engine.on('linkState', (s) => this.#is(s));
	}

	/** join takes a code; true when this device is in and has the history. */
	async join(code: string): Promise<boolean> {
		this.again();
		this.state = 'waiting';
		const failure = failed(await this.#world.engine.do({ do: 'linkJoin', code, label: deviceLabel(navigator.userAgent) }));
		if (failure && this.#given) {
			this.again();
			return false;
		}
		if (failure) this.failed = whyOf(failure);
		else this.#world.connection.opened();
		return !failure;
	}

	/** giveUp ends it as long as nothing was given. */
	async giveUp() {
		this.#given = true;
		await this.#world.engine.do({ do: 'cancel' });
	}

	again() {
		this.state = this.check = this.#until = '';
		this.done = this.total = 0;
		this.failed = undefined;
		this.#given = false;
	}

	until(tag: string): string {
		if (!this.#until) return '';
		const at = new Date(this.#until);
		const today = at.toDateString() === new Date().toDateString();
		return new Intl.DateTimeFormat(tag, { dateStyle: today ? undefined : 'medium', timeStyle: 'short' }).format(at);
	}

	#is({ state, check, done, total, until }: LinkState) {
		if (state === 'failed') return; // the answer tells why
		this.state = state;
		if (check) this.check = check;
		this.#until = until ?? '';
		this.done = done ?? 0;
		this.total = total ?? 0;
	}
}

function whyOf({ code }: Failure): Why {
	if (code === 'refused' || code === 'canceled') return 'refused';
	return code === 'unreachable' ? 'offline' : 'over';
}
