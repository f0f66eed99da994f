// A soft sound: two notes that fade, made here.

let context: AudioContext | undefined;

export async function chime() {
	context ??= new AudioContext();
	if (context.state === 'suspended') await context.resume().catch(() => {}); // without a press before, browsers stay silent
	if (context.state === 'running') for (const [pitch, begins] of [[659, 0], [880, 0.12]] as const) note(context, pitch, context.currentTime + begins);
}

function note(context: AudioContext, pitch: number, at: number) {
	const [tone, loud] = [context.createOscillator(), context.createGain()];
	tone.frequency.value = pitch;
	loud.gain.setValueAtTime(0, at);
	loud.gain.linearRampToValueAtTime(0.08, at + 0.02);
	loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
	tone.connect(loud).connect(context.destination);
	tone.start(at);
	tone.stop(at + 0.5);
}
