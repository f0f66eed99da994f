package control

import (
	"context"
	"errors"
	"net/http"

	"mirsal/internal/xmpp/command"
	"mirsal/internal/xmpp/stanza"
)

// Commands are what administrators can have a running server do, from their clients
// and here.
type Commands interface {
	// Commands lists them.
	Commands(ctx context.Context) ([]Command, error)
	// CommandForm is the first form of one; its Kind is "" where nothing is asked.
	CommandForm(ctx context.Context, node string) (command.Result, error)
	// RunCommand does one with the values of all its forms, by name.
	RunCommand(ctx context.Context, node string, fields map[string][]string) (command.Result, error)
}

// Command is one that can be run.
type Command struct {
	Node string `json:"node"`
	Name string `json:"name"`
}

// CommandCalls are those about commands.
func CommandCalls(c Commands) Calls {
	return Calls{
		"POST /command/list": func(r *http.Request, _ request) (out response, err error) {
			out.Commands, err = c.Commands(r.Context())
			return out, plain(err)
		},
		"POST /command/form": func(r *http.Request, in request) (response, error) {
			f, err := c.CommandForm(r.Context(), in.Name)
			return response{Result: &f}, plain(err)
		},
		"POST /command/run": func(r *http.Request, in request) (response, error) {
			res, err := c.RunCommand(r.Context(), in.Name, in.Fields)
			return response{Result: &res}, plain(err)
		},
	}
}

// plain is an error as people at the machine read it: without the condition.
func plain(err error) error {
	var se *stanza.StanzaError
	if errors.As(err, &se) && se.Text != "" {
		return errors.New(se.Text)
	}
	return err
}

// Commands satisfies Commands.
func (c *Client) Commands(ctx context.Context) ([]Command, error) {
	out, err := c.call(ctx, "/command/list", request{})
	return out.Commands, err
}

// CommandForm satisfies Commands.
func (c *Client) CommandForm(ctx context.Context, node string) (command.Result, error) {
	return result(c.call(ctx, "/command/form", request{Name: node}))
}

// RunCommand satisfies Commands.
func (c *Client) RunCommand(ctx context.Context, node string, fields map[string][]string) (command.Result, error) {
	return result(c.call(ctx, "/command/run", request{Name: node, Fields: fields}))
}

func result(out response, err error) (command.Result, error) {
	if err == nil && out.Result == nil {
		err = errors.New("the server answers something else")
	}
	if err != nil {
		return command.Result{}, err
	}
	return *out.Result, nil
}
