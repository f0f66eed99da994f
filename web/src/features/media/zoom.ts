// A picture under fingers, a wheel or keys: how large it is and where.

export interface Look {
	scale: number;
	x: number;
	y: number;
}

export const whole: Look = { scale: 1, x: 0, y: 0 };
const largest = 8;

/** zoomed is a look made larger by a factor, so that what is at a point (from the middle) stays there. */
export function zoomed(look: Look, by: number, at: { x: number; y: number }): Look {
	const scale = Math.min(largest, Math.max(1, look.scale * by));
	if (scale === 1) return whole;
	const grown = scale / look.scale;
	return { scale, x: at.x - (at.x - look.x) * grown, y: at.y - (at.y - look.y) * grown };
}

/** moved is a look at another part, as far as there is something to see. */
export function moved(look: Look, dx: number, dy: number, room: { width: number; height: number }): Look {
	const bound = (v: number, side: number) => Math.max(-(look.scale - 1) * side / 2, Math.min((look.scale - 1) * side / 2, v));
	return { scale: look.scale, x: bound(look.x + dx, room.width), y: bound(look.y + dy, room.height) };
}
