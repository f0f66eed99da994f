package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/assets"
	"mirsal/web"
)

func newWebHash() *cobra.Command {
	var site string
	var manifest bool
	cmd := &cobra.Command{
		Use: "web-hash", Short: "Print the hashes of the screen for browsers, or compare a server's with them",
		Long: "Print the SHA-256 of every file of the screen in this program, unpacked, as sha256sum does. The first line is\n" +
			"that of the list itself, which every server hands out at /manifest.json: it stands for all the others.\n" +
			"With --check the files that a server hands out are compared with those of this program.",
		Example: "  mirsal web-hash\n  mirsal web-hash --manifest >manifest.json\n  mirsal web-hash --check https://chat.example.org",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := assets.New(web.Dist())
			if err != nil {
				return err
			}
			if !set.Built() {
				return fmt.Errorf("this program was built without the screen: make build, where Node is installed")
			}
			if site != "" {
				return checkSite(cmd, set, site)
			}
			return printHashes(cmd.OutOrStdout(), set, manifest)
		},
	}
	cmd.Flags().StringVar(&site, "check", "", "compare with the server at this `URL`")
	cmd.Flags().BoolVar(&manifest, "manifest", false, "print the list as servers hand it out, for signing")
	cmd.MarkFlagsMutuallyExclusive("check", "manifest")
	return cmd
}

func printHashes(w io.Writer, set *assets.Set, manifest bool) error {
	b, err := set.Manifest()
	if err != nil {
		return err
	}
	if manifest {
		_, err = w.Write(b)
		return err
	}
	fmt.Fprintf(w, "%s  manifest.json\n", assets.Hash(b))
	list, err := set.List()
	for _, a := range list {
		fmt.Fprintf(w, "%s  %s\n", a.SHA256, a.Path)
	}
	return err
}

// siteWait is how long a server may take for one file.
const siteWait = time.Minute

func checkSite(cmd *cobra.Command, set *assets.Set, site string) error {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return usage("%q is no address such as https://chat.example.org", site)
	}
	site = strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
	wrong, err := set.Check(cmd.Context(), &http.Client{Timeout: siteWait}, site)
	if err != nil {
		return err
	}
	for _, line := range wrong {
		fmt.Fprintln(cmd.OutOrStdout(), oneLine(line))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s hands out something else than this program holds: another version, or another hand", site)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s hands out what this program holds: %d files\n", site, len(set.Names()))
	return err
}
