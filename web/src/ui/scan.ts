// Reading QR codes from a camera: by the browser's own BarcodeDetector where there is one,
// else by a reader in script, fetched when it is needed. (The page's policy lets no
// WebAssembly run, so it is none of those.)

/** A Reader looks for a code in what a video shows now; undefined when there is none. */
export type Reader = (video: HTMLVideoElement) => Promise<string | undefined>;

interface Detector {
	detect(from: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
	new (options: { formats: string[] }): Detector;
	getSupportedFormats(): Promise<string[]>;
}

export async function reader(): Promise<Reader> {
	const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
	if (own && (await own.getSupportedFormats().catch(() => [] as string[])).includes('qr_code')) {
		const detector = new own({ formats: ['qr_code'] });
		return async (video) => (await detector.detect(video))[0]?.rawValue;
	}
	const { default: decode } = await import('qr/decode.js');
	const canvas = document.createElement('canvas');
	return (video) => Promise.resolve(inPicture(video, canvas, decode));
}

const most = 640; // pixels of a side that are looked at

type Decode = (image: { width: number; height: number; data: Uint8ClampedArray }) => string;

function inPicture(video: HTMLVideoElement, canvas: HTMLCanvasElement, decode: Decode): string | undefined {
	const { videoWidth: w, videoHeight: h } = video;
	const scale = Math.min(1, most / Math.max(w, h, 1));
	canvas.width = Math.round(w * scale);
	canvas.height = Math.round(h * scale);
	const context = canvas.getContext('2d', { willReadFrequently: true });
	if (!context || !canvas.width || !canvas.height) return undefined;
	context.drawImage(video, 0, 0, canvas.width, canvas.height);
	try {
		return decode(context.getImageData(0, 0, canvas.width, canvas.height)) || undefined;
	} catch {
		return undefined; // no code in it
	}
}
