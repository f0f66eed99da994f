// How well a call goes, in a word; and the numbers behind it for whoever asks.

export type Level = 'good' | 'weak' | 'lost';

export interface Numbers {
	/** ms to the other side and back */
	delay?: number;
	/** share of what was lost on its way here, 0–1 */
	loss?: number;
	/** by a relay, so that neither side learns the other's address */
	relayed?: boolean;
	/** bits a second that come */
	rate?: number;
	/** the picture that comes, in lines */
	lines?: number;
}

/** Counted is what one look at the connection has found. */
export interface Counted {
	at: number;
	received: number;
	lost: number;
	bytes: number;
	delay?: number;
	relayed?: boolean;
	lines?: number;
}

type Stat = Record<string, unknown> & { type: string; id: string };
const n = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);

/** counted reads a report of RTCPeerConnection. */
export function counted(report: Iterable<Stat>, at: number): Counted {
	const all = new Map([...report].map((s) => [s.id, s]));
	const found: Counted = { at, received: 0, lost: 0, bytes: 0 };
	let back: number | undefined; // as the other side has told it
	for (const s of all.values()) {
		if (s.type === 'inbound-rtp') {
			found.received += n(s.packetsReceived);
			found.lost += Math.max(0, n(s.packetsLost));
			found.bytes += n(s.bytesReceived);
			if (n(s.frameHeight)) found.lines = n(s.frameHeight);
		} else if (s.type === 'remote-inbound-rtp' && s.roundTripTime !== undefined) back ??= n(s.roundTripTime) * 1000;
		else if (s.type === 'transport') Object.assign(found, wayOf(all, s));
	}
	found.delay ??= back;
	return found;
}

function wayOf(all: ReadonlyMap<string, Stat>, transport: Stat): Partial<Counted> {
	const pair = all.get(String(transport.selectedCandidatePairId));
	if (!pair) return {};
	const relayed = ['localCandidateId', 'remoteCandidateId'].some((end) => all.get(String(pair[end]))?.candidateType === 'relay');
	return pair.currentRoundTripTime === undefined ? { relayed } : { relayed, delay: n(pair.currentRoundTripTime) * 1000 };
}

/** between is what two looks tell. */
export function between(before: Counted | undefined, now: Counted): Numbers {
	const { delay, relayed, lines } = now;
	if (!before || now.at <= before.at) return { delay, relayed, lines };
	const [received, lost] = [Math.max(0, now.received - before.received), Math.max(0, now.lost - before.lost)];
	return { delay, relayed, lines, loss: received + lost > 0 ? lost / (received + lost) : undefined, rate: Math.max(0, (now.bytes - before.bytes) * 8000) / (now.at - before.at) };
}

const bad = { delay: 450, loss: 0.06 }; // from where on a talk suffers

export function levelOf({ delay = 0, loss = 0 }: Numbers, state: RTCPeerConnectionState): Level {
	if (state === 'disconnected' || state === 'failed') return 'lost';
	return delay > bad.delay || loss > bad.loss ? 'weak' : 'good';
}

const often = 2000; // ms between two looks

export class Quality {
	level = $state<Level>('good');
	numbers = $state.raw<Numbers>({});
	#timer: ReturnType<typeof setInterval> | undefined;
	#before: Counted | undefined;
	#weak = 0; // looks in a row: one alone says nothing

	watch(peer: { stats(): Promise<RTCStatsReport>; readonly state: RTCPeerConnectionState }) {
		this.close();
		this.#timer = setInterval(() => void this.look(peer), often);
	}

	async look(peer: { stats(): Promise<RTCStatsReport>; readonly state: RTCPeerConnectionState }) {
		const report = await peer.stats().catch(() => undefined);
		if (!report || !this.#timer) return;
		const now = counted(report.values() as Iterable<Stat>, performance.now());
		this.numbers = between(this.#before, now);
		this.#before = now;
		const level = levelOf(this.numbers, peer.state);
		this.#weak = level === 'weak' ? this.#weak + 1 : 0;
		this.level = level === 'weak' && this.#weak < 2 ? 'good' : level;
	}

	close() {
		clearInterval(this.#timer);
		this.#timer = this.#before = undefined;
		this.#weak = 0;
		this.level = 'good';
		this.numbers = {};
	}
}
