// Command validator checks an OCI image layout against the schemas of the image specification, and every blob that
// its index reaches against its digest and size: validator LAYOUT. It prints how many documents it checked.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	_ "crypto/sha256"

	"github.com/opencontainers/image-spec/schema"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: validator LAYOUT")
		os.Exit(2)
	}
	layout := layout{folder: os.Args[1], seen: map[string]bool{}}
	if err := layout.check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d documents and %d blobs are valid\n", layout.documents, len(layout.seen))
}

type layout struct {
	folder    string
	documents int
	seen      map[string]bool
}

func (l *layout) check() error {
	if _, err := l.checkFile(v1.ImageLayoutFile, schema.ValidatorMediaTypeLayoutHeader); err != nil {
		return err
	}
	content, err := l.checkFile(v1.ImageIndexFile, schema.ValidatorMediaTypeImageIndex)
	if err != nil {
		return err
	}
	return l.checkIndex(content)
}

func (l *layout) checkFile(name string, validator schema.Validator) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(l.folder, name))
	if err != nil {
		return nil, err
	}
	return content, l.checkDocument(name, content, validator)
}

func (l *layout) checkDocument(name string, content []byte, validator schema.Validator) error {
	l.documents++
	if err := validator.Validate(bytes.NewReader(content)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (l *layout) checkIndex(content []byte) error {
	var index v1.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return err
	}
	for _, descriptor := range index.Manifests {
		if err := l.checkDescriptor(descriptor); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) checkDescriptor(descriptor v1.Descriptor) error {
	document, err := json.Marshal(descriptor)
	if err != nil {
		return err
	}
	name := descriptor.Digest.String()
	if err := l.checkDocument("descriptor of "+name, document, schema.ValidatorMediaTypeDescriptor); err != nil {
		return err
	}
	if err := l.checkBlob(descriptor); err != nil {
		return err
	}
	switch descriptor.MediaType {
	case v1.MediaTypeImageIndex:
		content, err := l.checkFile(l.toPath(descriptor), schema.ValidatorMediaTypeImageIndex)
		if err != nil {
			return err
		}
		return l.checkIndex(content)
	case v1.MediaTypeImageManifest:
		return l.checkManifest(descriptor)
	case v1.MediaTypeImageConfig:
		_, err := l.checkFile(l.toPath(descriptor), schema.ValidatorMediaTypeImageConfig)
		return err
	}
	return nil
}

func (l *layout) checkManifest(descriptor v1.Descriptor) error {
	content, err := l.checkFile(l.toPath(descriptor), schema.ValidatorMediaTypeManifest)
	if err != nil {
		return err
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return err
	}
	if manifest.MediaType != descriptor.MediaType {
		return fmt.Errorf("%s: says %q of itself and its descriptor %q", descriptor.Digest, manifest.MediaType, descriptor.MediaType)
	}
	for _, part := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		if err := l.checkDescriptor(part); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) checkBlob(descriptor v1.Descriptor) error {
	file, err := os.Open(filepath.Join(l.folder, l.toPath(descriptor)))
	if err != nil {
		return err
	}
	defer file.Close()
	verifier := descriptor.Digest.Verifier()
	size, err := io.Copy(verifier, file)
	if err != nil {
		return err
	}
	if size != descriptor.Size || !verifier.Verified() {
		return fmt.Errorf("%s: another content, of %d bytes", descriptor.Digest, size)
	}
	l.seen[descriptor.Digest.String()] = true
	return nil
}

func (l *layout) toPath(descriptor v1.Descriptor) string {
	return filepath.Join(v1.ImageBlobsDir, descriptor.Digest.Algorithm().String(), descriptor.Digest.Encoded())
}
