// Where one's own picture can be, in the order in which it goes round.

export const corners = ['low-end', 'low-start', 'high-start', 'high-end'] as const;

/** nearest is the corner that a place is next to; the line may run from the right. */
export function nearest(at: { x: number; y: number }, around: { width: number; height: number }, fromRight: boolean): number {
	const end = at.x > around.width / 2 !== fromRight;
	const low = at.y > around.height / 2;
	return corners.indexOf(`${low ? 'low' : 'high'}-${end ? 'end' : 'start'}`);
}
