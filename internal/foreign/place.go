package foreign

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// inPlace mounts each pair of arguments, a file and what it stands in place of,
// up to "--", and becomes the rest.
const inPlace = `set -e; while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"`

// InPlace returns the beginning of a command line whose program sees other files
// in place of some of the system's: instead maps the system's to them. It is for
// programs that cannot be told which names are where, or whom to trust. Nobody
// else sees the change, and what the program started ends with it (namespaces of
// mounts and processes; as root, or with user namespaces).
func InPlace(t testing.TB, instead map[string]string) []string {
	t.Helper()
	args := []string{Program(t, "unshare"), "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	args = append(args, "sh", "-c", inPlace, "sh")
	for _, system := range sorted(instead) {
		args = append(args, instead[system], system)
	}
	args = append(args, "--")
	try := append(slices.Clone(args), "true")
	if out, err := exec.Command(try[0], try[1:]...).CombinedOutput(); err != nil {
		lack(t, fmt.Sprintf("namespaces of mounts and processes (%v: %s)", err, out))
	}
	return args
}

func sorted(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Loopback returns an address of this machine on which nothing listens at the
// ports: for programs that know no ports but those of the specifications.
func Loopback(t testing.TB, ports ...int) string {
	t.Helper()
	for range 20 {
		// 127.64.0.0/10: far from what people type
		ip := net.IPv4(127, byte(64+rand.IntN(64)), byte(rand.IntN(256)), byte(1+rand.IntN(250))).String()
		if free(ip, ports) {
			return ip
		}
	}
	lack(t, fmt.Sprintf("an address in 127.64.0.0/10 with the ports %v", ports))
	return ""
}

func free(ip string, ports []int) bool {
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, fmt.Sprint(port)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// Fetched returns dir, into which the script has fetched what the file list
// names, as it is now.
func Fetched(t testing.TB, dir, list string) string {
	t.Helper()
	if !same(list, filepath.Join(dir, ".installed")) {
		lack(t, "what "+list+" lists, in "+dir)
	}
	return dir
}
