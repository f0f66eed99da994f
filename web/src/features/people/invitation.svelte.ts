// The link that was made last: it stays while this page is there, so that coming back to it
// makes no other one.

import type { Engine } from '../../port/engine';
import type { Code, Failure } from '../../port/types';

export class Invitation {
	link = $state.raw<Code>();
	failure = $state.raw<Failure>();
	busy = $state(false);

	/** usable says that there is a link that is not out of date. */
	usable(now = Date.now()): boolean {
		return Boolean(this.link && (!this.link.until || Date.parse(this.link.until) > now));
	}

	async make(engine: Pick<Engine, 'do'>) {
		this.busy = true;
		const answer = await engine.do({ do: 'inviteLink' });
		this.busy = false;
		this.failure = answer.failure;
		this.link = answer.failure ? undefined : answer;
	}
}

export const invitation = new Invitation();
