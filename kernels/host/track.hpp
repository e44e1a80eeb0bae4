// track.hpp: one target of a batch on its way through the transforms; gpuaug/track.py says what its verbs mean.
//
// Each sample has one open stage: a view of where it lies (address, signed strides), at most one gather, and a list of pixel
// operations. What cannot join it closes it: the stage becomes a row of a launch, the next one reads what that wrote.
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>
#include "launch.hpp"
namespace aug {

enum { LAYERS = 4 };  // that one stage reads at most

struct Stage {
  Row row;                              // the output's size is filled in when it closes
  int count;                            // operations
  int last;                             // the last launch that touches the sample; -1: none
  int writer, writer_row;               // the launch and row that wrote its source, if nothing else reads that; or -1
  int writer_of_source, row_of_source;  // the same, whoever reads it
  int move[6];       // a turn or crop that operations have not been told, from their positions to the output's so far
  bool open, moved;  // is it more than a view of its source? is there a move to be told?
  bool caller;       // does it read the caller's memory (or scratch)?
  int source;        // element type there
  int attached;      // the first layer of the operation that comes next
  int layers[LAYERS][LAYER_WORDS];  // what its operations read beside the pixel, of which row.n_layers are set
};

struct Planned {  // a launch
  int kind, channels, source, target;
  std::vector<char> rows;
  std::vector<int> sample;
  std::vector<Op> ops;
  int n() const { return (int)sample.size(); }
  Ends& ends(int i) { return *(Ends*)(rows.data() + (size_t)i * KINDS[kind].row); }
};

struct Event {
  int launch, first, count, notes;
};  // rows that a launch got, after so many notes of gpuaug/track.py

class Track {
 public:
  int samples, channels, dtype;
  std::vector<Planned> launches;
  std::vector<Event> events;
  std::vector<float> blob;
  i64 found = 0;  // words of 4 bytes that reductions and lookups write

  // size: [samples][2], written here, owned by the caller. before: sizes; stride: of y, x, channel in elements.
  Track(int n, int channels, int dtype, const i64* address, const i64* before, const i64* stride, int* size)
      : samples(n), channels(channels), dtype(dtype), blob(std::max(channels, 1), 0.0f), size_(size), item_(bytes_of(dtype)),
        stages_(new Stage[n]) {
    ops_.reset(new Op[(size_t)n * capacity_]);
    for (int i = 0; i < n; ++i) {
      Stage& s = begin(i, (int)before[2 * i], (int)before[2 * i + 1], dtype);
      s.row.src = address[i];
      s.row.sy = (int)stride[3 * i];
      s.row.sx = (int)stride[3 * i + 1];
      s.row.sc = (int)stride[3 * i + 2];
      s.caller = true;
      size_[2 * i] = s.row.sh;
      size_[2 * i + 1] = s.row.sw;
    }
  }

  int height(int i) const { return size_[2 * i]; }
  int width(int i) const { return size_[2 * i + 1]; }

  // Integer geometry: output pixel p is what was at [[a0, a1], [a2, a3]] p + (x, y).
  void reindex(int i, const int a[4], int x, int y, int h, int w) {
    Stage& s = stages_[i];
    Row& r = s.row;
    if (!s.open && s.caller) {  // nothing but views so far: another view
      r.src += ((i64)x * r.sx + (i64)y * r.sy) * item_;
      const int sx = r.sx, sy = r.sy;
      r.sx = a[0] * sx + a[2] * sy;
      r.sy = a[1] * sx + a[3] * sy;
      r.sh = h;
      r.sw = w;
    } else {  // the stage reads as before; output pixels are sent to where they were
      for (int k = 0; k < 6; k += 3) {
        int* f = r.frame + k;
        const int p = f[0], q = f[1];
        f[2] += p * x + q * y;
        f[0] = a[0] * p + a[2] * q;
        f[1] = a[1] * p + a[3] * q;
      }
      s.move[2] -= x;
      s.move[5] -= y;
      for (int k = 0; k < 3; ++k) {  // a is a signed permutation: its inverse is its transpose
        const int p = s.move[k], q = s.move[3 + k];
        s.move[k] = a[0] * p + a[2] * q;
        s.move[3 + k] = a[1] * p + a[3] * q;
      }
      s.moved = s.open = true;
    }
    size_[2 * i] = h;
    size_[2 * i + 1] = w;
  }

  void orient(int i, const int a[4]) {
    const int h = height(i), w = width(i);
    // mirrored axes start at the far end of the old size
    reindex(i, a, a[0] + a[1] < 0 ? w - 1 : 0, a[2] + a[3] < 0 ? h - 1 : 0, a[0] ? h : w, a[0] ? w : h);
  }

  // The stage of a sample, closed before if it was more than a view, gets a gather, which is to be written into the row returned:
  // so far what says it is 0.
  Row& gather(int i, int h, int w) {
    Stage& s = stages_[i];
    s.open = true;
    size_[2 * i] = h;
    size_[2 * i + 1] = w;
    return s.row;
  }

  void append(int i, int code, int at, int n, const void* params, size_t bytes) {
    Stage& s = stages_[i];
    if (s.count == capacity_) grow();
    Op& op = ops_[(size_t)i * capacity_ + s.count++];
    op = Op{code, at, n, s.attached, {}};
    std::memcpy(op.p, params, bytes);
    s.open = true;
  }

  // Tells the operations to come where their pixels are now.
  void note_move(int i);

  // Closes what is open and returns LAYER_WORDS words for each of the rows: the samples as they are now.
  std::vector<int> keep(const std::vector<int>& rows, int notes) {
    close(rows, notes);
    std::vector<int> out;
    for (int i : rows) {
      const Stage& s = stages_[i];
      int words[LAYER_WORDS] = {
          0, 0, s.row.sy, s.row.sx, s.row.sc, s.source, s.caller ? -1 : s.writer_of_source, s.row_of_source};
      std::memcpy(words, &s.row.src, sizeof s.row.src);
      out.insert(out.end(), words, words + LAYER_WORDS);
    }
    return out;
  }

  // The next operation of the rows reads `count` layers, of words [rows][count][LAYER_WORDS].
  void attach(const std::vector<int>& rows, const int* words, int count, int notes) {
    std::vector<int> full;
    for (int i : rows)
      if (stages_[i].row.n_layers + count > LAYERS) full.push_back(i);
    close(full, notes);
    for (int i : rows) {
      Stage& s = stages_[i];
      s.attached = s.row.n_layers;
      std::memcpy(s.layers[s.attached], words, sizeof(int) * LAYER_WORDS * count);
      s.row.n_layers += count;
      words += LAYER_WORDS * count;
    }
  }

  // Images of n channels from here on. One channel becomes n that all read it; of several, which must be alike, one stays.
  void recount(int n, int notes) {
    if (n == channels) return;
    std::vector<int> busy;
    for (int i = 0; i < samples; ++i)
      if (stages_[i].open) busy.push_back(i);
    if (!busy.empty()) flush(busy, nullptr, nullptr, dtype, notes, true);
    for (int i = 0; i < samples; ++i) {
      Stage& s = stages_[i];
      s.row.sc = 0;
      // what wrote it writes what comes of it only where both are one channel
      if (n > 1 || s.writer < 0 || launches[s.writer].ends(s.writer_row).dc != 0) s.writer = -1;
    }
    channels = n;
  }

  void open_all() {
    for (int i = 0; i < samples; ++i) stages_[i].open = true;
  }
  void open(const std::vector<int>& rows) {
    for (int i : rows) stages_[i].open = true;
  }

  // Rows may name a sample twice.
  void close(const std::vector<int>& rows, int notes) { close(rows.data(), rows.size(), notes); }
  void close(const int* rows, size_t n, int notes) {
    std::vector<int> busy;
    for (size_t k = 0; k < n; ++k)
      if (stages_[rows[k]].open) {
        if (busy.empty()) busy.reserve(n - k);
        busy.push_back(rows[k]);
        stages_[rows[k]].open = false;
      }
    if (!busy.empty()) flush(busy, nullptr, nullptr, dtype, notes, false);
  }

  // Rows of a kind that reads what the samples' views show and writes an image of the sizes given (those of `what`, or 0: the
  // samples' own) to scratch memory.
  template <class R> void launch(int kind, const std::vector<int>& rows, std::vector<R> what, int notes) {
    for (size_t k = 0; k < rows.size(); ++k) {
      const Row& from = stages_[rows[k]].row;
      R& r = what[k];
      r.src = from.src;
      r.sy = from.sy;
      r.sx = from.sx;
      r.sc = from.sc;
      r.sh = height(rows[k]);
      r.sw = width(rows[k]);
      if (!r.dh) r.dh = r.sh, r.dw = r.sw;
      dense(r);
      size_[2 * rows[k]] = r.dh;
      size_[2 * rows[k] + 1] = r.dw;
    }
    emit(kind, rows, dtype, dtype, bytes_of_rows(what), {}, true, notes);
  }

  // Rows of a kind that writes no image: of `each` words for a sample, which begin at the offset that is returned. They read what
  // the samples' views show, but no more than `width` columns of it.
  template <class R>
  i64 find(int kind, int source, const std::vector<int>& rows, std::vector<R> what, const i64* width, i64 each, int notes) {
    const i64 at = found;
    for (size_t k = 0; k < rows.size(); ++k) {
      Stage& s = stages_[rows[k]];
      R& r = what[k];
      r.src = s.row.src;
      r.sy = s.row.sy;
      r.sx = s.row.sx;
      r.sc = s.row.sc;
      r.sh = height(rows[k]);
      r.sw = width ? (int)width[k] : this->width(rows[k]);
      r.at = (int)(at + each * (i64)k);
      s.writer = -1;  // what it reads must not be written to the caller's memory instead
    }
    found += each * (i64)rows.size();
    const int number = emit(kind, rows, source, source, bytes_of_rows(what), {}, false, notes);
    for (int i : rows) stages_[i].last = number;
    return at;
  }

  // Every sample to its place: address [samples], stride [samples][3], of element type `type`.
  void finish(const i64* address, const i64* stride, int type, int notes) {
    std::vector<int> rest;
    for (int i = 0; i < samples; ++i) {
      Stage& s = stages_[i];
      if (type != dtype || s.writer < 0 || s.open) {
        rest.push_back(i);
        continue;
      }
      // its last launch was its last step: that writes to its place
      Ends& ends = launches[s.writer].ends(s.writer_row);
      const bool plane = ends.dc == 0;
      put(ends, address[i], stride + 3 * i);
      if (plane) ends.dc = 0;
    }
    if (!rest.empty()) flush(rest, address, stride, type, notes, false);
  }

 private:
  static void put(Ends& r, i64 address, const i64* stride) {
    r.dst = address;
    r.dy = (int)stride[0];
    r.dx = (int)stride[1];
    r.dc = (int)stride[2];
  }
  // plane: one channel is all there is, so that each writes there
  void dense(Ends& r, bool plane = false) const {
    const int step = plane ? 1 : channels;
    const i64 stride[3] = {r.dw * step, step, plane ? 0 : 1};
    put(r, 0, stride);
  }
  template <class R> static std::vector<char> bytes_of_rows(const std::vector<R>& rows) {
    static_assert(sizeof(R) <= ROW_MOST && sizeof(R) % 8 == 0);
    return {(const char*)rows.data(), (const char*)(rows.data() + rows.size())};
  }
  static void identity(int* m) {
    static const int one[6] = {1, 0, 0, 0, 1, 0};
    std::copy(one, one + 6, m);
  }
  // The stage of a sample anew: nothing is done in it. What it reads is to be filled in.
  Stage& begin(int i, int h, int w, int source) {
    Stage& s = stages_[i];
    s.row = {};
    s.count = s.attached = 0;
    s.open = s.moved = s.caller = false;
    s.row.sh = h;
    s.row.sw = w;
    s.row.border = 1;
    identity(s.row.frame);
    identity(s.move);
    s.last = s.writer = s.writer_row = s.writer_of_source = -1;
    s.row_of_source = 0;
    s.source = source;
    return s;
  }

  void grow() {
    std::unique_ptr<Op[]> larger(new Op[(size_t)samples * capacity_ * 2]);
    for (int i = 0; i < samples; ++i)
      std::copy_n(&ops_[(size_t)i * capacity_], stages_[i].count, &larger[(size_t)i * capacity_ * 2]);
    ops_ = std::move(larger);
    capacity_ *= 2;
  }

  // Open stages become launches, one for each element type at the source. address: where they go; null: to scratch, of which
  // `plane` keeps one channel.
  void flush(const std::vector<int>& index, const i64* address, const i64* stride, int target, int notes, bool plane) {
    for (int source = 0; source < 8; ++source) {
      std::vector<int> part;
      for (int i : index)
        if (stages_[i].source == source) part.push_back(i);
      if (part.empty()) continue;
      std::vector<char> table(part.size() * sizeof(Row));
      std::vector<Op> ops;
      size_t total = 0;
      for (int i : part) total += stages_[i].count;
      ops.reserve(total);
      for (size_t k = 0; k < part.size(); ++k) {
        const int i = part[k];
        Row& r = ((Row*)table.data())[k] = stages_[i].row;
        r.dh = height(i);
        r.dw = width(i);
        r.ops = (int)ops.size();
        r.n_ops = stages_[i].count;
        static const int straight[6] = {1, 0, 0, 0, 1, 0};
        r.plain = !std::memcmp(r.frame, straight, sizeof straight);
        r.layers = (int)blob.size();
        const float* layers = (const float*)stages_[i].layers;
        blob.insert(blob.end(), layers, layers + LAYER_WORDS * r.n_layers);
        const Op* mine = &ops_[(size_t)i * capacity_];
        ops.insert(ops.end(), mine, mine + r.n_ops);
        if (address) put(r, address[i], stride + 3 * i);
        else dense(r, plane);
      }
      emit(KIND_FUSED, part, source, target, std::move(table), std::move(ops), !address, notes);
      for (int i : part)
        if (plane) {
          stages_[i].row.sy = stages_[i].row.sw;
          stages_[i].row.sx = 1;
        }
      if (part.size() == index.size()) return;
    }
  }

  // Adds a launch, or rows to an earlier one of its kind that none of these samples has to wait for. Returns which.
  int emit(int kind, const std::vector<int>& index, int source, int target, std::vector<char> rows, std::vector<Op> ops,
           bool go_on, int notes) {
    int after = -1, number = (int)launches.size();
    for (int i : index) after = std::max(after, stages_[i].last);
    for (int k = number - 1; k > after; --k)
      if (launches[k].kind == kind && launches[k].channels == channels && launches[k].source == source &&
          launches[k].target == target) {
        number = k;
        break;
      }
    int first = 0;
    if (number == (int)launches.size()) {
      launches.push_back({kind, channels, source, target, std::move(rows), index, std::move(ops)});
    } else {
      Planned& l = launches[number];
      first = l.n();
      l.rows.insert(l.rows.end(), rows.begin(), rows.end());
      for (int i = first; KINDS[kind].ops && i < first + (int)index.size(); ++i) ((Row&)l.ends(i)).ops += (int)l.ops.size();
      l.ops.insert(l.ops.end(), ops.begin(), ops.end());
      l.sample.insert(l.sample.end(), index.begin(), index.end());
    }
    events.push_back({number, first, (int)index.size(), notes});
    if (!go_on) return number;
    for (size_t k = 0; k < index.size(); ++k) {
      const int i = index[k];
      Stage& s = begin(i, height(i), width(i), target);
      s.row.sy = s.row.sw * channels;
      s.row.sx = channels;
      s.row.sc = 1;
      s.last = s.writer = s.writer_of_source = number;
      s.writer_row = s.row_of_source = first + (int)k;
    }
    return number;
  }

  int* size_;
  int item_;                         // bytes of an element in the caller's memory
  int capacity_ = 6;                 // operations a sample has room for
  std::unique_ptr<Stage[]> stages_;  // [samples]
  std::unique_ptr<Op[]> ops_;        // [samples][capacity]; those beyond a sample's count are not initialized
};

}  // namespace aug
