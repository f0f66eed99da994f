// What a person has seen of a trouble, and what the clock is found to be.

import type { World } from '../../model/world';
import { skewOf, troubleOf, whole, type Trouble } from './trouble';

const often = 10 * 60_000; // ms between two looks at the clock

export class FailureState {
	/** seen is a trouble that was put aside */
	seen = $state<Trouble | undefined>(undefined);
	/** minutes that this device's clock is wrong by */
	skew = $state(0);
	#looked = -Infinity;

	gate({ connection: { engine, status, address } }: Pick<World, 'connection'>): Trouble | undefined {
		const trouble = troubleOf(engine, status);
		return trouble && trouble !== this.seen && (!address || whole(trouble)) ? trouble : undefined;
	}

	notice(world: Pick<World, 'connection'>): Trouble | 'clock' | undefined {
		const { engine, status } = world.connection;
		return troubleOf(engine, status) ?? (this.skew ? 'clock' : undefined);
	}

	/** clock asks the site what time it is. */
	async clock(ask: () => Promise<{ headers: Headers }> = () => fetch('/manifest.json', { method: 'HEAD', cache: 'no-store' })) {
		if (performance.now() - this.#looked < often) return;
		this.#looked = performance.now();
		try {
			this.skew = skewOf((await ask()).headers.get('Date'), Date.now());
		} catch {
			this.#looked = -Infinity; // there is no connection: nothing is known
		}
	}
}

export const failure = new FailureState();
