// Stand-ins for what a browser has, for tests.

export class FakeTrack extends EventTarget {
	enabled = true;
	muted = false;
	readyState = 'live';
	contentHint = '';
	onended: (() => void) | null = null;
	onmute: (() => void) | null = null;
	onunmute: (() => void) | null = null;
	readonly id = crypto.randomUUID();

	constructor(
		readonly kind: string,
		readonly from = '',
	) {
		super();
	}
	stop() {
		this.readyState = 'ended';
	}
	getSettings() {
		return { deviceId: this.from };
	}
}

export class FakeStream {
	constructor(readonly tracks: FakeTrack[] = []) {}
	getTracks = () => this.tracks;
	getAudioTracks = () => this.tracks.filter((t) => t.kind === 'audio');
	getVideoTracks = () => this.tracks.filter((t) => t.kind === 'video');
}

type Asked = MediaStreamConstraints;

/** FakeMedia gives tracks, and remembers all that it has given. */
export class FakeMedia extends EventTarget {
	readonly asked: Asked[] = [];
	readonly given: FakeTrack[] = [];
	refuses: (what: Asked) => string = () => '';
	wait: Promise<void> = Promise.resolve();
	list: { kind: string; deviceId: string; label: string }[] = [];

	getUserMedia = async (what: Asked) => {
		this.asked.push(what);
		await this.wait;
		const wrong = this.refuses(what);
		if (wrong) throw new DOMException('', wrong);
		return this.#stream(['audio', 'video'].filter((k) => what[k as 'audio']));
	};
	getDisplayMedia = async () => {
		if (this.refuses({})) throw new DOMException('', 'NotAllowedError');
		return this.#stream(['video']);
	};
	enumerateDevices = async () => this.list;

	#stream(kinds: string[]) {
		const tracks = kinds.map((k) => new FakeTrack(k));
		this.given.push(...tracks);
		return new FakeStream(tracks);
	}

	get live() {
		return this.given.filter((t) => t.readyState === 'live').length;
	}
}

interface FakeTransceiver {
	mid: string | null;
	direction: string;
	currentDirection: string | null;
	receiver: { track: FakeTrack };
	sender: { track: FakeTrack | null; replaceTrack: (t: FakeTrack | null) => Promise<void>; setStreams: () => void };
}

/** FakeConnection does as RTCPeerConnection, as far as the seat uses it; its descriptions are lists of media. */
export class FakeConnection {
	connectionState = 'new';
	iceGatheringState = 'new';
	localDescription: { type: string; sdp: string } | null = null;
	remoteDescription: { type: string; sdp: string } | null = null;
	readonly added: unknown[] = [];
	readonly transceivers: FakeTransceiver[] = [];
	restarts = 0;
	closed = false;
	onicecandidate: ((e: { candidate: { candidate: string; sdpMid: string } | null }) => void) | null = null;
	onicegatheringstatechange: (() => void) | null = null;
	onconnectionstatechange: (() => void) | null = null;
	ontrack: ((e: { track: FakeTrack }) => void) | null = null;

	constructor(readonly configuration: RTCConfiguration) {}

	#place(kind: string, direction: string): FakeTransceiver {
		const sender: FakeTransceiver['sender'] = { track: null, replaceTrack: async (t) => void (sender.track = t), setStreams: () => {} };
		const t = { mid: String(this.transceivers.length), direction, currentDirection: null, receiver: { track: new FakeTrack(kind) }, sender };
		this.transceivers.push(t);
		return t;
	}
	addTransceiver(track: FakeTrack, { direction }: { direction: string }) {
		this.#place(track.kind, direction).sender.track = track;
	}
	getTransceivers = () => this.transceivers;
	#said = (type: string) => ({ type, sdp: this.transceivers.map((t) => `${t.receiver.track.kind} ${t.direction} ${t.sender.track ? 'sends' : 'silent'}`).join('\n') });
	async createOffer({ iceRestart }: { iceRestart?: boolean } = {}) {
		if (iceRestart) this.restarts++;
		return this.#said('offer');
	}
	createAnswer = async () => this.#said('answer');
	async setLocalDescription(d: { type: string; sdp: string }) {
		this.localDescription = d;
		this.onicecandidate?.({ candidate: { candidate: 'candidate:1', sdpMid: '0' } });
	}
	async setRemoteDescription(d: { type: string; sdp: string }) {
		if (d.sdp === 'nonsense') throw new DOMException('nonsense', 'OperationError');
		this.remoteDescription = d;
		for (const line of d.sdp.split('\n')) {
			const kind = line.split(' ')[0]!;
			if (!this.transceivers.some((t) => t.receiver.track.kind === kind)) this.#place(kind, 'recvonly');
		}
		for (const t of this.transceivers) this.ontrack?.({ track: t.receiver.track });
	}
	async addIceCandidate(c: unknown) {
		if (!this.remoteDescription) throw new DOMException('', 'InvalidStateError');
		this.added.push(c);
	}
	getStats = async () => new Map();
	become(state: string) {
		this.connectionState = state;
		this.onconnectionstatechange?.();
	}
	close() {
		this.closed = true;
	}
}

/** fakeSound is an <audio> that plays whatever it is given. */
export const fakeSound = () => ({ srcObject: null as unknown, play: async () => {}, pause: () => {}, setSinkId: async () => {} }) as unknown as HTMLAudioElement;
