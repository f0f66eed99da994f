// near is where this very site has a file of its server's, for an address.
//
// A page in plain HTTP is on the server's own machine, where the public address of the
// files is one whose certificate browsers do not take. /site.json says what such links begin
// with, and /upload/ has the same files. Others are told the public address all the same.
export async function near(address) {
	if (location.protocol !== 'http:') return address;
	const begin = await (begins ??= ask()), rest = bare(address);
	return begin && rest.startsWith(begin) ? `${location.origin}/upload/${rest.slice(begin.length)}` : address;
}

let begins;

async function ask() {
	try {
		const response = await fetch('/site.json', { credentials: 'omit' });
		if (!response.ok) throw new Error(String(response.status));
		const { files } = await response.json();
		return files ? bare(files) : '';
	} catch {
		begins = undefined; // another time
		return '';
	}
}

// bare is an address without http: or https:, which aesgcm: does not tell apart.
function bare(address) {
	const { href, protocol } = new URL(address);
	return href.slice(protocol.length);
}
