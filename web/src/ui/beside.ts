const edge = 8;

/** beside puts a popover that is open by the element it belongs to, where there is room: ending where that ends, or beginning where it begins. */
export function beside(menu: HTMLElement, element: Element, along: 'start' | 'end' = 'end') {
	const at = element.getBoundingClientRect();
	const { width, height } = menu.getBoundingClientRect();
	const rtl = getComputedStyle(element).direction === 'rtl';
	const x = rtl === (along === 'end') ? at.left : at.right - width;
	const below = at.bottom + 4 + height < innerHeight;
	menu.style.left = `${Math.max(edge, Math.min(x, innerWidth - width - edge))}px`;
	menu.style.top = `${Math.max(edge, below ? at.bottom + 4 : at.top - height - 4)}px`;
}
