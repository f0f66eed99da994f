package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/call/filter"
)

func newCallRules() *cobra.Command {
	cmd := &cobra.Command{
		Use: "call-rules", Short: "Sign rules that refuse some calls in an emergency",
		Long: "Rules are lines such as \"refuse young-video propose media=video age<7d\"; docs/ops/call-rules.md has all of it. They are signed where the\n" +
			"key is, which need not be the server, and in force some seconds after the signed file is in its place (calls.rules).",
		Example: "  mirsal call-rules key rules.key\n  mirsal call-rules sign --key rules.key rules.txt >signed\n  mv signed mirsal-data/call-rules",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return usage("key or sign is missing")
		},
	}
	cmd.AddCommand(newCallRulesKey(), newCallRulesSign())
	return cmd
}

func newCallRulesKey() *cobra.Command {
	return &cobra.Command{
		Use: "key FILE", Short: "Make a key for signing, and print what belongs into calls.rules_keys",
		Example: "  mirsal call-rules key rules.key", Args: exactly(1, "the file that the key goes to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, private, err := ed25519.GenerateKey(nil)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(f, base64.StdEncoding.EncodeToString(private.Seed())); err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), base64.StdEncoding.EncodeToString(public))
			return err
		},
	}
}

func newCallRulesSign() *cobra.Command {
	var keyFile string
	var days uint
	cmd := &cobra.Command{
		Use: "sign --key KEY FILE", Short: "Check rules, and print them signed",
		Long: "FILE holds the lines that begin with refuse; the head is added: issued now, at an end in some days, with the time as the\n" +
			"serial number. A file without such lines ends all rules that are in force.",
		Example: "  mirsal call-rules sign --key rules.key --days 3 rules.txt >signed", Args: exactly(1, "the file with the rules"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := signingKey(keyFile)
			if err != nil {
				return err
			}
			rules, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			now := time.Now().UTC()
			head := fmt.Sprintf("mirsal call rules 1\nserial %d\nissued %s\nexpires %s\n", now.Unix(), now.Format(time.RFC3339), now.AddDate(0, 0, int(min(days, 365))).Format(time.RFC3339))
			signed, err := filter.Sign(head+string(rules), key)
			if err != nil {
				return fmt.Errorf("%s, behind a head of four lines: %w", filepath.Base(args[0]), err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), signed)
			return err
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "the file with the key for signing")
	cmd.Flags().UintVar(&days, "days", 3, "how many days the rules are in force, at most 30")
	return cmd
}

func signingKey(file string) (ed25519.PrivateKey, error) {
	if file == "" {
		return nil, usage("--key is missing")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s holds no key for signing", file)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
