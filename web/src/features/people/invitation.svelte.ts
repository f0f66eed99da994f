// The link that was made last: it stays while this page is there, so that coming back to it
// makes no other one.

import type { Engine } from '../../port/engine';
import type { Code, Contact, Failure } from '../../port/types';

export class Invitation {
	link = $state.raw<Code>();
	failure = $state.raw<Failure>();
	busy = $state(false);
	#before: ReadonlySet<string> = new Set(); // who was in touch when it was made

	/** usable says that there is a link that is not out of date. */
	usable(now = Date.now()): boolean {
		return Boolean(this.link && (!this.link.until || Date.parse(this.link.until) > now));
	}

	/** came is who is in touch since the link was made: it was for one person, and is used then. */
	came(contacts: readonly Contact[]): Contact | undefined {
		return this.link && inTouch(contacts).find((c) => !this.#before.has(c.address));
	}

	async make(engine: Pick<Engine, 'do'>, contacts: readonly Contact[]) {
		this.busy = true;
		this.#before = new Set(inTouch(contacts).map((c) => c.address));
		const answer = await engine.do({ do: 'inviteLink' });
		this.busy = false;
		this.failure = answer.failure;
		this.link = answer.failure ? undefined : answer;
	}
}

const inTouch = (contacts: readonly Contact[]) => contacts.filter((c) => c.state === 'contact');

export const invitation = new Invitation();
