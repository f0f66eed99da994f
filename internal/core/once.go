package core

// ReplyBehind answers a query with a large payload: it waits until what is
// queued for the session has been written, and so cannot overflow its queue. The
// handler then returns ErrLater.
func (q *Query) ReplyBehind(payload []byte) {
	q.Session.Feed(&once{Bytes(q.Result(payload).Raw)})
}

// once is a source of one packet.
type once struct{ packet Packet }

// Next hands the packet out, then nothing.
func (o *once) Next() []Packet {
	if o.packet.Segments == nil {
		return nil
	}
	p := o.packet
	o.packet = Packet{}
	return []Packet{p}
}
