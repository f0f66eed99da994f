package control

import (
	"context"
	"net/http"
	"time"
)

// Push is what can be done about notifications on a running server.
type Push interface {
	// Registrations are those of an account, the latest first.
	Registrations(ctx context.Context, account string) ([]Registration, error)
	// TestPush sends a notification by one registration; nil when its push service has it.
	TestPush(ctx context.Context, account, id string) error
}

// Registration is one device's registration for notifications.
type Registration struct {
	ID, Service, Device string
	State               string // ok, failing, paused, ended or never-used
	Enabled             time.Time
	Success, Failure    time.Time // zero for never
	Failures            int       // since the last success
	Reason              string    // of the last failure, in words
}

// Calls are more that a server answers.
type Calls map[string]call

// PushCalls are those about notifications.
func PushCalls(p Push) Calls {
	return Calls{
		"POST /push/list": func(r *http.Request, in request) (out response, err error) {
			out.Registrations, err = p.Registrations(r.Context(), in.Name)
			return out, err
		},
		"POST /push/test": func(r *http.Request, in request) (response, error) {
			return response{}, p.TestPush(r.Context(), in.Name, in.ID)
		},
	}
}

// Registrations satisfies Push.
func (c *Client) Registrations(ctx context.Context, account string) ([]Registration, error) {
	out, err := c.call(ctx, "/push/list", request{Name: account})
	return out.Registrations, err
}

// TestPush satisfies Push.
func (c *Client) TestPush(ctx context.Context, account, id string) error {
	_, err := c.call(ctx, "/push/test", request{Name: account, ID: id})
	return err
}
