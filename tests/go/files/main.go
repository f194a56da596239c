// Files, directories, formatting, sorting, hashing, floating point.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"text/template"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
	}
}

func main() {
	must(os.MkdirAll("a/b/c", 0o755))
	must(os.WriteFile("a/one", []byte("first\nsecond\n"), 0o640))
	f, err := os.OpenFile("a/one", os.O_APPEND|os.O_RDWR, 0)
	must(err)
	fmt.Fprintf(f, "third %d\n", 3)
	f.Seek(0, io.SeekStart)
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		fmt.Println(scanner.Text())
	}
	info, _ := f.Stat()
	fmt.Println(info.Name(), info.Size(), info.Mode())
	must(f.Truncate(5))
	buffer := make([]byte, 3)
	n, err := f.ReadAt(buffer, 2)
	fmt.Println(n, err, string(buffer))
	f.Close()
	must(os.Symlink("one", "a/link"))
	must(os.Link("a/one", "a/b/hard"))
	must(os.Rename("a/b/hard", "a/b/c/moved"))
	filepath.WalkDir("a", func(path string, d fs.DirEntry, err error) error {
		fmt.Println(path, d.Type())
		return err
	})
	_, err = os.Open("missing")
	fmt.Println(err, os.IsNotExist(err))
	must(os.Chmod("a/one", 0o400))
	entries, _ := os.ReadDir("a")
	fmt.Println(len(entries), entries[0].Name())
	must(os.RemoveAll("a/b"))
	file, _ := os.Create("big")
	w := bufio.NewWriterSize(file, 1<<16)
	for i := 0; i < 20000; i++ {
		binary.Write(w, binary.LittleEndian, uint64(i*i))
	}
	w.Flush()
	file.Close()
	data, _ := os.ReadFile("big")
	fmt.Printf("%d %x\n", len(data), sha256.Sum256(data))
	os.Remove("big")

	words := strings.Fields("the quick brown fox jumps over the lazy dog the end")
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
	fmt.Println(words, count)
	fmt.Println(strconv.Itoa(-42), strconv.Quote("tab\t"), strconv.FormatFloat(1.0/3, 'g', -1, 64))
	for _, s := range []string{"1e400", "0x1F", "12", "x", "3.25"} {
		a, e1 := strconv.ParseFloat(s, 64)
		b, e2 := strconv.ParseInt(s, 0, 64)
		fmt.Println(a, e1, b, e2)
	}
	fmt.Println(math.Sqrt(2), math.Sin(1), math.Pow(2, 0.5), math.Log(10), math.Inf(1), math.NaN(), math.MaxUint32)
	fmt.Println(new(big.Int).Exp(big.NewInt(3), big.NewInt(300), nil))
	fmt.Println(base64.StdEncoding.EncodeToString([]byte("any bytes")))
	fmt.Printf("%8.3f|%-8s|%+d|%q|%x|%T|%v|%08b\n", math.Pi, "left", 5, 'x', "hex", count, struct{ A, B int }{1, 2}, 37)
	template.Must(template.New("t").Parse("{{range $i, $w := .}}{{if $i}}, {{end}}{{$w}}{{end}}\n")).Execute(os.Stdout, words[:3])
}
