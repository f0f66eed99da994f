import type { Attachment } from 'svelte/attachments';

/** shows has an element show a track. */
export function shows(track: MediaStreamTrack): Attachment<HTMLVideoElement> {
	return (video) => {
		video.srcObject = new MediaStream([track]);
		void video.play()?.catch(() => {});
		return () => (video.srcObject = null);
	};
}
