// A Hub stands before an engine that several tabs use: answers go to who asked,
// under the number that was asked with, all else to everybody.

export class Hub {
	last = 0;
	asked = new Map(); // our number → { tab, ref }
	going = new Map(); // tab and its ref → our number, of what can be cancelled after its answer
	status = undefined; // the latest, for those who come later
	engine = undefined; // takes a command as JSON

	// post takes a tab, or '*' for all, and an event.
	constructor(post) {
		this.post = post;
	}

	command(tab, command) {
		const c = { ...command };
		if (c.do === 'cancel') c.command = this.numberOf(tab, c.command);
		if (c.ref) {
			const number = ++this.last;
			this.asked.set(number, { tab, ref: c.ref });
			if (c.do === 'sendFile' || c.do === 'fetch') this.going.set(`${tab} ${c.ref}`, number);
			c.ref = number;
		}
		this.engine(JSON.stringify(c));
	}

	numberOf(tab, ref) {
		for (const [number, a] of this.asked) if (a.tab === tab && a.ref === ref) return number;
		return this.going.get(`${tab} ${ref}`) ?? 0;
	}

	event(text) {
		const e = JSON.parse(text);
		if (e.event === 'status') this.status = e;
		if (!e.ref) return this.post('*', e);
		const who = this.asked.get(e.ref);
		this.asked.delete(e.ref);
		if (who) this.post(who.tab, { ...e, ref: who.ref });
	}
}
