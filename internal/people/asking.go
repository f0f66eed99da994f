package people

import (
	"context"

	"mirsal/internal/store"
	"mirsal/internal/xmpp/jid"
)

// Requests is how many subscription requests wait for an owner's answer, counted up to 100.
func (p *People) Requests(ctx context.Context, owner jid.JID) (int, error) {
	const most = 100
	items, err := p.asked.Scan(ctx, owner.String(), store.Range{Limit: most})
	return len(items), err
}
