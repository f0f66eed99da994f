// A picture made small enough to be shown to others: square, from its middle.

export const most = 64 * 1024; // bytes, the engine's bound

export interface Small {
	data: string;
	width: number;
	height: number;
}

/** A Drawing is a picture that can be written in a size and quality. */
export interface Drawing {
	side: number;
	write(side: number, quality: number): Promise<Blob | null>;
}

/** small tries sizes and qualities until it fits; undefined when none does. */
export async function small(drawing: Drawing): Promise<Small | undefined> {
	for (const wished of [400, 320, 240, 160]) {
		const side = Math.min(wished, drawing.side);
		for (const quality of [0.88, 0.75, 0.6]) {
			const blob = await drawing.write(side, quality);
			if (blob && blob.size > 0 && blob.size <= most) return { data: await base64(blob), width: side, height: side };
		}
	}
	return undefined;
}

/** drawingOf reads a file that somebody chose; it fails when that is no picture. */
export async function drawingOf(file: Blob): Promise<Drawing> {
	const bitmap = await createImageBitmap(file);
	const side = Math.min(bitmap.width, bitmap.height);
	const canvas = document.createElement('canvas');
	return {
		side,
		write(to, quality) {
			canvas.width = canvas.height = to;
			const context = canvas.getContext('2d')!;
			context.fillStyle = '#fff'; // behind what is transparent
			context.fillRect(0, 0, to, to);
			context.imageSmoothingQuality = 'high';
			context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, to, to);
			return new Promise((done) => canvas.toBlob(done, 'image/jpeg', quality));
		},
	};
}

async function base64(blob: Blob): Promise<string> {
	const bytes = new Uint8Array(await blob.arrayBuffer());
	let text = '';
	for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
	return btoa(text);
}
