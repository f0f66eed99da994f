/**
 * released is the SHA-256 of the list of all that this site hands out as the screen: the first line of
 * `mirsal web-hash`. '' where it cannot be asked.
 */
export async function released(): Promise<string> {
	try {
		const response = await fetch('/manifest.json', { credentials: 'omit', cache: 'no-cache' });
		if (!response.ok) return '';
		const hash = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
		return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, '0')).join('');
	} catch {
		return '';
	}
}
