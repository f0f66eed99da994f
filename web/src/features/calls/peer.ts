// The one place where a peer connection is made: by Peer, which the Seat makes when the engine
// says "create" and not before (R13). It knows nothing of the engine and of the screen.

export type Kind = 'audio' | 'video';
/** Tracks are what is sent of each kind, nothing where one sends nothing. */
export type Tracks = { readonly [K in Kind]: MediaStreamTrack | undefined };
export type Makes = (configuration: RTCConfiguration) => RTCPeerConnection;

/** Ears hear what becomes of a connection. */
export interface Ears {
	/** an address of ours; '' says that no more follow */
	address(mid: string, candidate: string): void;
	state(state: RTCPeerConnectionState): void;
	/** something of theirs has come */
	track(track: MediaStreamTrack): void;
}

export const makes: Makes = (configuration) => new RTCPeerConnection(configuration);

export class Peer {
	#pc: RTCPeerConnection;
	#ears: Ears;
	#early: RTCIceCandidateInit[] = []; // addresses of theirs that came before their description
	#held: [string, string][] | undefined = []; // addresses of ours, until our description is told
	#together = new MediaStream();

	constructor(make: Makes, servers: readonly RTCIceServer[], relayOnly: boolean, ears: Ears) {
		const pc = (this.#pc = make({ iceServers: [...servers], iceTransportPolicy: relayOnly ? 'relay' : 'all' }));
		this.#ears = ears;
		pc.onicecandidate = ({ candidate: c }) => c?.candidate && this.#found(c.sdpMid ?? '', c.candidate);
		pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && this.#found(pc.getTransceivers()[0]?.mid ?? '', '');
		pc.onconnectionstatechange = () => ears.state(pc.connectionState);
		pc.ontrack = ({ track }) => ears.track(track);
	}

	#found(mid: string, candidate: string) {
		if (this.#held) this.#held.push([mid, candidate]);
		else this.#ears.address(mid, candidate);
	}

	/** told says that our description was handed on: addresses may follow it. */
	told() {
		for (const [mid, candidate] of this.#held?.splice(0) ?? []) this.#ears.address(mid, candidate);
		this.#held = undefined;
	}

	get state(): RTCPeerConnectionState {
		return this.#pc.connectionState;
	}

	/** has says whether a kind is in the call, whoever sends it. */
	has(kind: Kind): boolean {
		return this.#pc.getTransceivers().some((t) => of(t) === kind && !gone(t));
	}

	/** offer is our description, with a place for each track. */
	async offer(tracks: Tracks, restart = false): Promise<string> {
		for (const kind of ['audio', 'video'] as const) {
			const track = tracks[kind];
			if (!track) continue;
			if (this.has(kind)) await this.send(kind, track);
			else this.#pc.addTransceiver(track, { direction: 'sendrecv', streams: [this.#together] });
		}
		return this.#set(await this.#pc.createOffer(restart ? { iceRestart: true } : {}));
	}

	/** answer takes what is offered in both directions: what we do not send now can be sent later without asking anew. */
	async answer(tracks: Tracks): Promise<string> {
		for (const t of this.#pc.getTransceivers()) {
			if (gone(t)) continue;
			t.direction = 'sendrecv';
			t.sender.setStreams?.(this.#together);
			await t.sender.replaceTrack(tracks[of(t)] ?? null);
		}
		return this.#set(await this.#pc.createAnswer());
	}

	async #set(description: RTCSessionDescriptionInit): Promise<string> {
		await this.#pc.setLocalDescription(description);
		return this.#pc.localDescription?.sdp ?? description.sdp ?? '';
	}

	async remote(type: 'offer' | 'answer', sdp: string) {
		await this.#pc.setRemoteDescription({ type, sdp });
		for (const candidate of this.#early.splice(0)) await this.#add(candidate);
	}

	async address(mid: string, candidate: string) {
		const init = { sdpMid: mid, candidate };
		if (this.#pc.remoteDescription) await this.#add(init);
		else this.#early.push(init);
	}

	// one address that cannot be used is no reason to end a call
	async #add(init: RTCIceCandidateInit) {
		await this.#pc.addIceCandidate(init.candidate ? init : undefined).catch(() => {});
	}

	/** send puts another track, or none, in the place of what is sent; false where there is no place. */
	async send(kind: Kind, track: MediaStreamTrack | undefined): Promise<boolean> {
		const place = this.#pc.getTransceivers().find((t) => of(t) === kind && !gone(t));
		await place?.sender.replaceTrack(track ?? null);
		return place !== undefined;
	}

	stats(): Promise<RTCStatsReport> {
		return this.#pc.getStats();
	}

	close() {
		const pc = this.#pc;
		pc.onicecandidate = pc.onicegatheringstatechange = pc.onconnectionstatechange = pc.ontrack = null;
		pc.close();
	}
}

const of = (t: RTCRtpTransceiver): Kind => (t.receiver.track.kind === 'video' ? 'video' : 'audio');
const gone = (t: RTCRtpTransceiver) => t.currentDirection === 'stopped' || t.direction === 'stopped';
