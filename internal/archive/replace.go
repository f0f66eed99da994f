package archive

import (
	"context"

	"mirsal/internal/xmpp/stanza"
)

// Replace puts another stanza in the place of one, for all who keep it: what
// stood there is gone from the disk when it returns. It fails with
// store.ErrNotFound where there is nothing. The place, the time and whose it is
// stay.
func (a *Archive) Replace(ctx context.Context, seq uint64, by *stanza.Stanza) error {
	return a.log.Replace(ctx, seq, by.Raw)
}
