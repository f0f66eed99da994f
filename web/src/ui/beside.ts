const edge = 8;

/** beside puts a popover that is open by the element it belongs to, where there is room. */
export function beside(menu: HTMLElement, element: Element) {
	const at = element.getBoundingClientRect();
	const { width, height } = menu.getBoundingClientRect();
	const x = getComputedStyle(element).direction === 'rtl' ? at.left : at.right - width;
	const below = at.bottom + 4 + height < innerHeight;
	menu.style.left = `${Math.max(edge, Math.min(x, innerWidth - width - edge))}px`;
	menu.style.top = `${Math.max(edge, below ? at.bottom + 4 : at.top - height - 4)}px`;
}
