package spread

// room makes room for one more content.
func (b *Book) room() {}
