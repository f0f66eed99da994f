// A picture of a person or group, made small by the screen, as setProfile and setRoom take it.

export interface Portrait {
	/** base64 of a JPEG */
	picture: string;
	width: number;
	height: number;
}

const side = 256; // pixels
const most = 64 * 1024; // bytes

/** portrait cuts the middle square out of an image file. What stood in the file beside the picture (where it was taken) is not in it. It throws when the file is no image. */
export async function portrait(file: Blob): Promise<Portrait> {
	const image = await createImageBitmap(file);
	const cut = Math.min(image.width, image.height);
	const canvas = document.createElement('canvas');
	canvas.width = canvas.height = side;
	const context = canvas.getContext('2d')!;
	context.fillStyle = '#fff'; // behind what is transparent
	context.fillRect(0, 0, side, side);
	context.drawImage(image, (image.width - cut) / 2, (image.height - cut) / 2, cut, cut, 0, 0, side, side);
	image.close();
	for (const quality of [0.88, 0.7, 0.5]) {
		const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', quality));
		if (blob && blob.size <= most) return { picture: base64(new Uint8Array(await blob.arrayBuffer())), width: side, height: side };
	}
	throw new Error('the picture cannot be made small');
}

export function base64(bytes: Uint8Array): string {
	let text = '';
	for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
	return btoa(text);
}

/** drawn is a picture's address for <img>; revoke it when it is no longer shown. */
export const drawn = ({ picture }: Portrait): string =>
	URL.createObjectURL(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type: 'image/jpeg' }));
