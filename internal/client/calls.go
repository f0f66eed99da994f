package client

import "mirsal/internal/client/port"

// callCommand carries out what is about calls.
func (e *Engine) callCommand(c port.Command) bool {
	switch c := c.(type) {
	case *port.ListCalls:
		e.tell(&port.CallList{Ref: c.Ref, Failure: port.Failf(port.Missing, "this engine has no calls yet")})
	case *port.PlaceCall, *port.AnswerCall, *port.DeclineCall, *port.HangUpCall, *port.AddVideo, *port.MuteCall,
		*port.CallDescribed, *port.CallAddress, *port.CallConnected, *port.CallFailed, *port.CallNetwork:
		e.fail(c, port.Failf(port.Missing, "this engine has no calls yet"))
	default:
		return false
	}
	return true
}
