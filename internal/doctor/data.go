package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// data looks at the folder with everything that the server keeps.
func (e *exam) data(context.Context) []Finding {
	dir := e.cfg.Data
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return e.newFolder(dir)
	}
	if err == nil {
		_, err = os.ReadDir(dir)
	}
	if err != nil {
		return []Finding{{"data.folder", "", Problem, "The data folder cannot be looked at: " + err.Error() + ".", "Run this command as the user who runs the server, or name the right folder with --data."}}
	}
	if e.o.Folder != nil {
		if err := e.o.Folder(dir); err != nil {
			return []Finding{{"data.folder", "", Problem, "This is no data folder of Mirsal: " + err.Error() + ".", "Name another folder with --data; the server refuses this one."}}
		}
	}
	list := append([]Finding{{"data.folder", "", OK, "The data folder is " + absolute(dir) + ".", ""}}, e.owner(dir, st)...)
	list = append(list, e.disk(dir)...)
	return append(list, e.syncTime(dir))
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// newFolder is about a folder that the first start will make.
func (e *exam) newFolder(dir string) []Finding {
	list := []Finding{{"data.folder", "", Notice, absolute(dir) + " is not there yet.", "The first `mirsal serve` makes it. If there is data elsewhere, name it with --data."}}
	for up := filepath.Dir(absolute(dir)); ; up = filepath.Dir(up) {
		if _, err := os.Stat(up); err == nil || up == filepath.Dir(up) {
			return append(append(list, e.disk(up)...), e.syncTime(up))
		}
	}
}

func (e *exam) owner(dir string, st fs.FileInfo) (list []Finding) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case ok && int(sys.Uid) != e.UID && e.UID != 0:
		list = append(list, Finding{"data.owner", "", Problem, fmt.Sprintf("The data folder belongs to user %d, and you are user %d.", sys.Uid, e.UID),
			"If the server runs as another user, run this command as that one. Else: chown -R USER " + absolute(dir)})
	case ok && int(sys.Uid) != e.UID:
		list = append(list, Finding{"data.owner", "", Notice, fmt.Sprintf("The data folder belongs to user %d; you look at it as root.", sys.Uid),
			"Run the server and its commands as that user: files that root makes there are closed to it."})
	}
	open := openToOthers(dir, st)
	if len(open) == 0 {
		return append(list, Finding{"data.permissions", "", OK, "Nobody but its owner can read it.", ""})
	}
	return append(list, Finding{"data.permissions", "", Problem, fmt.Sprintf("Other users of this machine can get at %s.", open[0]),
		"Close it: chmod -R go= " + absolute(dir)})
}

// openToOthers are files with secrets that others could open. What stands in a
// closed folder is closed.
func openToOthers(dir string, st fs.FileInfo) (list []string) {
	if st.Mode().Perm()&0o077 == 0 {
		return nil
	}
	for _, name := range []string{"mirsal.db", "mirsal.db-wal", "tls/key.pem", "tls/ca-key.pem", "tls/acme", "uploads"} {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && st.Mode().Perm()&0o077 != 0 {
			list = append(list, path)
		}
	}
	if st.Mode().Perm()&0o022 != 0 {
		list = append(list, absolute(dir))
	}
	return list
}

// Kinds of file systems, by what statfs tells (linux/magic.h), and what is wrong
// with them for a database.
func unfitKinds() map[int64]string {
	const network = "lies on a network file system (%s), on which a database can be damaged and locks may not hold"
	return map[int64]string{
		0x6969: fmt.Sprintf(network, "NFS"), 0xff534d42: fmt.Sprintf(network, "CIFS"), 0xfe534d42: fmt.Sprintf(network, "SMB"),
		0x517b: fmt.Sprintf(network, "SMB"), 0x01021997: fmt.Sprintf(network, "9P"), 0x00c36400: fmt.Sprintf(network, "Ceph"),
		0x5346414f: fmt.Sprintf(network, "AFS"),
		0x01021994: "lies in memory (tmpfs): everything is gone when the machine starts anew",
		0x858458f6: "lies in memory (ramfs): everything is gone when the machine starts anew",
	}
}

// What is little room.
const (
	littleSpace = 2 << 30
	noSpace     = 200 << 20
	fewFiles    = 1000
	overlay     = 0x794c7630
)

func (e *exam) disk(dir string) (list []Finding) {
	s, err := e.Space(dir)
	if err != nil {
		return []Finding{{"data.space", "", Warning, "How much room is left cannot be told: " + err.Error() + ".", "Look with df " + absolute(dir)}}
	}
	if what := unfitKinds()[s.kind]; what != "" {
		list = append(list, Finding{"data.filesystem", "", Problem, "The data " + what + ".", "Move it to a disk of this machine, and name that with --data."})
	} else if s.kind == overlay {
		list = append(list, Finding{"data.filesystem", "", Notice, "The data lies on an overlay file system, as containers have: it is gone with the container.", "Give the container a volume for the data, unless this one is kept."})
	}
	f := Finding{"data.space", "", OK, fmt.Sprintf("%s of %s are free.", size(s.free), size(s.total)), ""}
	switch {
	case s.free < noSpace:
		f.Level, f.Text, f.Remedy = Problem, "Only "+f.Text, "Make room now: with a full disk the server takes no message (and loses none)."
	case s.free < littleSpace:
		f.Level, f.Text, f.Remedy = Warning, "Only "+f.Text, "Make room, or keep messages for a shorter time (archive.keep)."
	case s.files > 0 && s.files < fewFiles:
		f.Level, f.Text, f.Remedy = Warning, fmt.Sprintf("Only %d more files can be made on this disk.", s.files), "Remove small files, or use another file system."
	}
	return append(list, f)
}

func size(n uint64) string {
	const unit = 1 << 10
	switch {
	case n >= unit*unit*unit:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	default:
		return fmt.Sprintf("%d MiB", n/(unit*unit))
	}
}

// What a sync that reaches a disk takes at the least, and what is too slow to chat by.
const (
	tooFast = 20 * time.Microsecond
	slow    = 20 * time.Millisecond
)

// syncTime measures how long the disk takes to make a small write durable, which
// every message waits for.
func (e *exam) syncTime(dir string) Finding {
	times, err := e.Sync(dir)
	if err != nil || len(times) == 0 {
		return Finding{"data.sync", "", Notice, fmt.Sprintf("How fast the disk is could not be measured: %v.", err), "Run this command as the user who runs the server; it needs to write there."}
	}
	slices.Sort(times)
	median := times[len(times)/2]
	shown := median.Round(10 * time.Microsecond)
	switch {
	case median < tooFast:
		return Finding{"data.sync", "", Warning, fmt.Sprintf("A write is called durable after %v, faster than disks are: a power cut may lose what was acknowledged.", median),
			"If this is a virtual machine, let its disk honour flushes; if the disk has a cache without a battery, switch that off."}
	case median > slow:
		return Finding{"data.sync", "", Warning, fmt.Sprintf("The disk takes %v to make a write durable; every message waits that long.", shown), "Use a faster disk, or find out what else keeps it busy."}
	}
	return Finding{"data.sync", "", OK, fmt.Sprintf("The disk makes a write durable in %v.", shown), ""}
}
