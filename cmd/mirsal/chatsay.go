package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/client/port"
	"mirsal/internal/client/terminal"
)

func newChatSend(o *chatOptions) *cobra.Command {
	var file, reply string
	var room, wait bool
	cmd := &cobra.Command{
		Use: "send JID [TEXT]", Short: "Send a message, and wait until the server has it",
		Long: "Without TEXT the message is read from standard input. With --file the file is encrypted, uploaded and sent, TEXT\n" +
			"being its caption. --room enters the room first, if need be. --delivered waits until a device of the other side\n" +
			"has it, which only contacts say.",
		Example: "  mirsal chat send bob@example.org 'on my way'\n  df -h | mirsal chat send ops@conference.example.org --room\n  mirsal chat send bob@example.org --file report.pdf",
		Args:    between(1, 2, "JID"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if cmd.Flags().Changed("file") {
				if file == "" || reply != "" {
					return usage("--file names a file, and goes without --reply")
				}
				// It is uploaded by another run, from anywhere, if this one is cut short.
				if file, err = filepath.Abs(file); err != nil {
					return err
				}
			}
			text, err := messageText(args, file != "")
			if err != nil {
				return err
			}
			return o.with(func(c *chatting) error {
				if err := c.synced(); err != nil {
					return err
				}
				if room {
					if _, err := c.Call(c.limit, &port.JoinRoom{Address: args[0]}); err != nil {
						return waited(err)
					}
				}
				m, err := c.say(args[0], text, file, reply, wait)
				if err != nil {
					return err
				}
				return o.printMessage(cmd.OutOrStdout(), m, true)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "a file to send")
	cmd.Flags().StringVar(&reply, "reply", "", "ID of the message that is answered, as history --json tells it")
	cmd.Flags().BoolVar(&room, "room", false, "JID is a room")
	cmd.Flags().BoolVar(&wait, "delivered", false, "wait until the other side has it; only contacts say so")
	return cmd
}

// messageText is the message: an argument, or what standard input holds.
func messageText(args []string, optional bool) (string, error) {
	if len(args) == 2 {
		return args[1], nil
	}
	if optional {
		return "", nil
	}
	raw, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10+1))
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(raw), "\n")
	if text == "" {
		return "", usage("the message is empty")
	}
	return text, nil
}

// say sends a message and waits until the server has it, or the other side.
func (c *chatting) say(chat, text, file, reply string, delivered bool) (port.Message, error) {
	var cmd port.Command = &port.Send{Chat: chat, Text: text, ReplyTo: reply}
	if file != "" {
		cmd = &port.SendFile{Chat: chat, Path: file, Text: text}
	}
	answer, err := c.Call(c.limit, cmd)
	if err != nil {
		return port.Message{}, waited(err)
	}
	id := answer.(*port.Done).Message
	var m port.Message
	_, err = c.Wait(c.limit, func(ev port.Event) bool {
		changed, ok := ev.(*port.MessageChanged)
		if !ok || changed.Message.ID != id {
			return false
		}
		m = changed.Message
		switch m.Delivery {
		case port.Failed, port.Delivered, port.Read:
			return true
		case port.Sent:
			return !delivered
		}
		return false
	})
	within := "within the time allowed"
	if c.ctx.Err() != nil {
		within = "before this was interrupted"
	}
	switch {
	case err != nil && m.Delivery == port.Sent:
		return m, port.Failf(port.Refused, "the server has the message; no device of the other side has confirmed it %s", within)
	case err != nil:
		return m, port.Failf(port.Unreachable, "the message is kept and goes when there is a connection: it was not confirmed %s", within)
	case m.Delivery == port.Failed && (m.Lock.State == port.Broken || m.Lock.State == port.Changed):
		return m, port.Failf(port.KeyUndecided, "not sent: %s", terminal.Why(m.Failure))
	case m.Delivery == port.Failed:
		return m, port.Failf(port.Refused, "not sent: %s", terminal.Why(m.Failure))
	}
	return m, nil
}

// printMessage prints a message as one JSON object or as one line for people.
func (o *chatOptions) printMessage(w io.Writer, m port.Message, onlyID bool) error {
	if o.json {
		return printEvent(w, &port.MessageChanged{Message: m})
	}
	if onlyID {
		_, err := fmt.Fprintln(w, m.ID)
		return err
	}
	_, err := fmt.Fprintln(w, line(m))
	return err
}

// line is a message for people: when, who, what.
func line(m port.Message) string {
	who := m.Name
	if m.Mine {
		who = "you"
	}
	if who == "" {
		who = m.Sender
	}
	text, words := m.Text, terminal.Words(m)
	switch {
	case m.Notice != "":
		return fmt.Sprintf("%s  -- %s%s", m.Time.Local().Format(time.DateTime), oneLine(words), howToEnter(m))
	case words != "":
		text = "(" + words + ")"
	case m.File != nil:
		text = strings.TrimSpace(fmt.Sprintf("[%s] %s", fileWords(m.File), text))
	}
	said := fmt.Sprintf("%s  %s: %s", m.Time.Local().Format(time.DateTime), oneLine(who), strings.ReplaceAll(plain(text), "\n", "\n    "))
	switch m.Delivery {
	case port.Failed:
		said += "  (not sent: " + terminal.Why(m.Failure) + ")"
	case port.Pending:
		said += "  (not sent yet)"
	}
	return said
}

// howToEnter is the command that takes an invitation.
func howToEnter(m port.Message) string {
	if m.Notice != "invited" || len(m.Params) == 0 {
		return ""
	}
	return " (mirsal chat room join " + oneLine(m.Params[0]) + ")"
}

// fileWords is a file for people: its size is not always known.
func fileWords(f *port.File) string {
	if f.Size < 0 {
		return oneLine(f.Name)
	}
	return fmt.Sprintf("%s, %d bytes", oneLine(f.Name), f.Size)
}

// plain takes out what would move a terminal's cursor or change its colours: a
// message is text, not instructions.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= 0x20 && r != 0x7f && (r < 0x80 || r > 0x9f) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func newChatListen(o *chatOptions) *cobra.Command {
	var chat string
	var count int
	var late bool
	cmd := &cobra.Command{
		Use: "listen", Short: "Print messages as they come, until interrupted",
		Long: "Prints each new message; with --json each event of docs/protocol/engine.md. --late prints what came while this\n" +
			"profile was away, too. --count ends after that many messages of others: of those that come from now on, and with\n" +
			"--late those that came meanwhile as well. --timeout, where it is given, is how long it listens, connecting included;\n" +
			"with --count it ends with 1 if fewer came, and with 4 where there is no connection then.",
		Example: "  mirsal chat listen --json\n  mirsal chat listen --chat bob@example.org --count 1 --timeout 10m", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(func(c *chatting) error {
				if err := c.online(); err != nil {
					return err
				}
				ctx := c.ctx
				if cmd.Flags().Changed("timeout") {
					ctx = c.limit
				}
				return o.listen(ctx, cmd.OutOrStdout(), c, chat, count, late)
			})
		},
	}
	cmd.Flags().StringVar(&chat, "chat", "", "only this conversation")
	cmd.Flags().IntVar(&count, "count", 0, "end after that many new messages of others (with --late, of what came meanwhile too)")
	cmd.Flags().BoolVar(&late, "late", false, "what came meanwhile, too")
	return cmd
}

func (o *chatOptions) listen(ctx context.Context, w io.Writer, c *chatting, chat string, count int, late bool) error {
	for seen := 0; count == 0 || seen < count; {
		ev, err := c.Next(ctx)
		if err != nil {
			return c.listened(seen, count)
		}
		if s, ok := ev.(*port.Status); ok && s.State == "refused" {
			return s.Failure
		}
		m, ok := ev.(*port.MessageChanged)
		if ok && (chat != "" && m.Message.Chat != chat || m.Late && !late) {
			continue
		}
		if o.json {
			err = printEvent(w, ev)
		} else if ok && m.New {
			err = o.printMessage(w, m.Message, false)
		}
		if err != nil {
			return err
		}
		if ok && m.New && !m.Message.Mine && m.Message.Notice == "" {
			seen++
		}
	}
	return nil
}

// listened says how listening has ended before all was heard.
func (c *chatting) listened(seen, count int) error {
	switch {
	case c.ctx.Err() != nil:
		return nil // interrupted: that is how it ends
	case c.Status().State != "online":
		return c.gaveUp()
	case count > 0:
		return port.Failf(port.Refused, "%d of %d messages came within the time allowed", seen, count)
	}
	return nil
}

func newChatHistory(o *chatOptions) *cobra.Command {
	var limit int
	var before string
	cmd := &cobra.Command{
		Use: "history JID", Short: "Print the latest messages of a conversation, oldest first",
		Example: "  mirsal chat history bob@example.org --limit 200 --json", Args: exactly(1, "JID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usage("--limit is at least 1")
			}
			return o.with(func(c *chatting) error {
				if err := c.readable(cmd.ErrOrStderr()); err != nil {
					return err
				}
				list, err := c.history(args[0], before, limit)
				for _, m := range list {
					if err := o.printMessage(cmd.OutOrStdout(), m, false); err != nil {
						return err
					}
				}
				return err
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many")
	cmd.Flags().StringVar(&before, "before", "", "ID of a message: only older ones")
	return cmd
}

// history pages backwards until there are enough messages.
func (c *chatting) history(chat, before string, limit int) (list []port.Message, err error) {
	for len(list) < limit {
		answer, err := c.Call(c.ctx, &port.History{Chat: chat, Before: before, Limit: min(limit-len(list), 200)})
		if err != nil {
			return list, err
		}
		page := answer.(*port.Page)
		list = append(page.Messages[:len(page.Messages):len(page.Messages)], list...)
		if !page.More || len(page.Messages) == 0 {
			break
		}
		before = page.Messages[0].ID
	}
	return list, nil
}

func newChatSearch(o *chatOptions) *cobra.Command {
	var chat string
	var limit int
	cmd := &cobra.Command{
		Use: "search WORDS…", Short: "Search the history that is on this device, newest first",
		Example: "  mirsal chat search invoice march --chat bob@example.org", Args: atLeastOne("WORDS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(func(c *chatting) error {
				answer, err := c.Call(c.limit, &port.Search{Query: strings.Join(args, " "), Chat: chat, Limit: limit})
				if err != nil {
					return err
				}
				for _, m := range answer.(*port.Found).Messages {
					if err := o.printMessage(cmd.OutOrStdout(), m, false); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&chat, "chat", "", "only this conversation")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, at most 200")
	return cmd
}

func newChatFetch(o *chatOptions) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "fetch JID MESSAGE", Short: "Fetch and decrypt the file of a message, by its ID in history --json", Example: "  mirsal chat fetch bob@example.org m12 --to report.pdf",
		Args: exactly(2, "JID or MESSAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(func(c *chatting) error {
				if _, err := c.Call(c.ctx, &port.Fetch{Chat: args[0], Message: args[1], Path: to}); err != nil {
					return err
				}
				_, err := c.Wait(c.limit, func(ev port.Event) bool {
					m, ok := ev.(*port.MessageChanged)
					f := (*port.File)(nil)
					if ok && m.Message.ID == args[1] {
						f = m.Message.File
					}
					if f == nil || f.State != "here" || f.Path == "" { // while it is fetched anew, it lies where it did
						return false
					}
					fmt.Fprintln(cmd.OutOrStdout(), f.Path)
					return true
				})
				return err
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "file or folder to write; the profile's own without it")
	return cmd
}
