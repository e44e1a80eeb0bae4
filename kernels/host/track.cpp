// track.cpp: tracks and plans, the verbs of gpuaug/track.py; exports for gpuaug/library.py. Arguments are checked here.
#include <cstring>
#include <memory>
#include <stdexcept>
#include "params.hpp"
#include "ops.gen.cuh"
#include "verbs.hpp"
#include "export.hpp"
using namespace aug;

void Track::note_move(int i) {
  Stage& s = stages_[i];
  s.row.positions = 1;
  if (!s.moved) return;
  const MoveOp move = {s.move[0], s.move[1], s.move[2], s.move[3], s.move[4], s.move[5]};
  append(i, OP_MOVE, 0, 0, &move, sizeof move);
  s.moved = false;
  identity(s.move);
}

namespace {

i64 aligned(i64 at) { return (at + 63) & ~(i64)63; }

// A plan's memory: a head, the launches' records, then what they point to.
struct Head {
  i64 launches, events, events_at, blob, found, scratch, base;
};

// Calls put(offset, data, bytes) for every part; base: the address of offset 0.
template <class F> i64 lay_out(const Track& t, i64 base, F put) {
  i64 at = aligned(sizeof(Head) + t.launches.size() * sizeof(Record));
  const auto next = [&](const void* data, i64 bytes) {
    const i64 here = at;
    put(here, data, bytes);
    at = aligned(at + bytes);
    return base + here;
  };
  Head head = {(i64)t.launches.size(), (i64)t.events.size(), 0, (i64)t.blob.size(), t.found, 0, base};
  std::vector<Record> records;
  const i64 blob = next(t.blob.data(), t.blob.size() * sizeof(float));
  for (const Planned& l : t.launches) {
    Record r = {0, 0, 0, blob, l.kind, l.n(), l.channels, l.source, l.target, (i64)l.ops.size()};
    r.rows = next(l.rows.data(), l.rows.size());
    r.ops = next(l.ops.data(), l.ops.size() * sizeof(Op));
    r.sample = next(l.sample.data(), l.n() * sizeof(int));
    records.push_back(r);
  }
  head.events_at = next(t.events.data(), t.events.size() * sizeof(Event)) - base;
  if (base) head.scratch = place(records.data(), (int)records.size(), t.samples, 0);
  put(0, &head, sizeof head);
  put(sizeof head, records.data(), records.size() * sizeof(Record));
  return at;
}

}  // namespace

// Bytes of the rows of every kind, then of Op and Record. Returns how many numbers there are.
EXPORT int gpuaug_sizes(int* out) {
  int n = 0;
  for (const KindOf& kind : KINDS) out[n++] = kind.row;
  for (int bytes : {(int)sizeof(Op), (int)sizeof(Record)}) out[n++] = bytes;
  return n;
}

// Where the memory of an array begins.
EXPORT i64 gpuaug_address(PyObject* array) {
  return guarded([&] { return (i64)Array(array).data(); });
}

EXPORT void* gpuaug_track_new(int channels, int dtype, PyObject* address, PyObject* before, PyObject* stride, PyObject* size) {
  return guarded([&] {
    const Array now(size, true);
    const i64 n = now.bytes() / 8;
    int* to = now.whole<int>(2 * n, "size");
    Column<i64> addresses(address, n, "address"), sizes(before, n, "size", 2), strides(stride, n, "stride", 3);
    return (void*)new Track((int)n, channels, dtype, addresses.all(), sizes.all(), strides.all(), to);
  });
}
EXPORT void gpuaug_track_free(void* handle) { delete (Track*)handle; }
EXPORT void gpuaug_track_convert(void* handle, int dtype) {
  guarded([&] {
    track_of(handle).dtype = dtype;
    track_of(handle).open_all();  // the source still holds the old type
    return 0;
  });
}

EXPORT void gpuaug_track_channels(void* handle, int channels, int notes) {
  guarded([&] {
    track_of(handle).recount(channels, notes);
    return 0;
  });
}

// The type of what the next launches write; of rows that are open it is that of their stage, too.
EXPORT void gpuaug_track_work_in(void* handle, PyObject* rows, int dtype) {
  guarded([&] {
    Track& t = track_of(handle);
    t.dtype = dtype;
    t.open(rows_of(rows, t.samples));
    return 0;
  });
}

EXPORT i64 gpuaug_track_blob(void* handle, PyObject* values) {
  return guarded([&] { return append_words(track_of(handle).blob, values); });
}

EXPORT void gpuaug_track_crop(void* handle, PyObject* rows, PyObject* x, PyObject* y, PyObject* height, PyObject* width) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    const Column<i64> xs(x, n, "x"), ys(y, n, "y"), hs(height, n, "height"), ws(width, n, "width");
    for (i64 k = 0; k < n; ++k) {
      const i64 h = t.height(index[k]), w = t.width(index[k]);
      if (xs[k] < 0 || ys[k] < 0 || hs[k] < 1 || ws[k] < 1 || hs[k] > h - ys[k] || ws[k] > w - xs[k])
        raise(PyExc_ValueError, "a window of %zd x %zd at (%zd, %zd) does not lie inside sample %d of %zd x %zd",
              (Py_ssize_t)hs[k], (Py_ssize_t)ws[k], (Py_ssize_t)xs[k], (Py_ssize_t)ys[k], index[k], (Py_ssize_t)h, (Py_ssize_t)w);
    }
    static const int straight[4] = {1, 0, 0, 1};
    for (i64 k = 0; k < n; ++k) t.reindex(index[k], straight, (int)xs[k], (int)ys[k], (int)hs[k], (int)ws[k]);
    return 0;
  });
}

EXPORT void gpuaug_track_orient(void* handle, PyObject* rows, int a0, int a1, int a2, int a3) {
  guarded([&] {
    Track& t = track_of(handle);
    const int a[4] = {a0, a1, a2, a3};
    for (int i : rows_of(rows, t.samples)) t.orient(i, a);
    return 0;
  });
}

// params: a dict of what `names` and `declared` say (params.hpp). table: values [n, ..], each sample's operation starting at its own;
// values in which it starts at entry at[r] and takes many[r]; or (shared) values for all. None: it starts at blob offset `at`.
// round: 0 bfloat16, 1 float16, -1: results are not rounded. Returns the offset of the table, or what is wrong (Refused::code).
EXPORT i64 gpuaug_track_op(void* handle, PyObject* rows, int code, PyObject* names, PyObject* declared, PyObject* params,
                           PyObject* axes, PyObject* table, PyObject* at, PyObject* many, int shared, int positions, int round,
                           i64 zeros) {
  return guarded([&]() -> i64 {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const i64 n = (i64)index.size();
    try {
      const Params words(names, declared, params, n, t.channels, t.blob, zeros);
      i64 base = 0, step = 0, entry = 1, entries = 0;
      const bool ragged = PyObject_CheckBuffer(at);
      if (PyObject_CheckBuffer(table)) {
        const Table values(axes, table, !shared && !ragged, n, t.channels);
        base = values.append(t.blob);
        entry = values.entry();
        entries = values.entries();
        step = shared || ragged ? 0 : entry * entries;
      } else if (ragged) {
        raise(PyExc_ValueError, "starts, but no table that they are of");
      } else {
        base = Column<i64>(at, n, "at")[0];
        entries = Column<i64>(many, n, "n")[0];
      }
      const RoundOp rounding = {round};
      const auto add = [&](i64 r, i64 from, i64 count) {
        const int i = index[r];
        if (positions) t.note_move(i);
        t.append(i, code, (int)from, (int)count, words.line(r), (size_t)words.bytes());
        if (round >= 0) t.append(i, OP_ROUND, 0, 0, &rounding, sizeof rounding);
      };
      if (ragged) {
        const Column<i64> starts(at, n, "at"), counts(many, n, "n");
        for (i64 r = 0; r < n; ++r) add(r, base + entry * starts[r], counts[r]);
      } else {
        for (i64 r = 0; r < n; ++r) add(r, base + step * r, entries);
      }
      return base;
    } catch (const Refused& refused) { return refused.code(); }
  });
}

// Returns the layers of the rows, LAYER_WORDS int32s each.
EXPORT PyObject* gpuaug_track_keep(void* handle, PyObject* rows, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> words = t.keep(rows_of(rows, t.samples), notes);
    return bytes_of_vector(words.data(), words.size() * sizeof(int));
  });
}

// layers: int32 [n, k, LAYER_WORDS], which the operation that is appended next reads.
EXPORT void gpuaug_track_attach(void* handle, PyObject* rows, PyObject* layers, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    const std::vector<int> index = rows_of(rows, t.samples);
    const Array a(layers);
    a.check_contiguous("layers");
    if (a.ndim != 3 || a.shape(0) != (i64)index.size() || a.shape(1) < 1 || a.shape(1) > LAYERS || a.shape(2) != LAYER_WORDS ||
        a.item != 4)
      raise(PyExc_ValueError, "layers must be int32 [%zd, 1 to %d, %d]", (Py_ssize_t)index.size(), (int)LAYERS, (int)LAYER_WORDS);
    t.attach(index, (const int*)a.data(), (int)a.shape(1), notes);
    return 0;
  });
}

EXPORT void gpuaug_track_close(void* handle, PyObject* rows, int notes) {
  guarded([&] {
    Track& t = track_of(handle);
    t.close(rows_of(rows, t.samples), notes);
    return 0;
  });
}

// Returns the bytes that `gpuaug_track_export` writes.
EXPORT i64 gpuaug_track_finish(void* handle, PyObject* address, PyObject* stride, int dtype, int notes) {
  return guarded([&] {
    Track& t = track_of(handle);
    Column<i64> to(address, t.samples, "address"), steps(stride, t.samples, "stride", 3);
    t.finish(to.all(), steps.all(), dtype, notes);
    return lay_out(t, 0, [](i64, const void*, i64) {});
  });
}
// The track ends with it.
EXPORT void gpuaug_track_export(void* handle, PyObject* memory) {
  const std::unique_ptr<Track> track((Track*)handle);
  guarded([&] {
    const Array to(memory, true);
    char* base = to.whole<char>(to.bytes(), "memory");
    lay_out(track_of(handle), (i64)base, [&](i64 at, const void* data, i64 bytes) {
      if (at + bytes > to.bytes()) throw std::length_error("a plan does not fit the memory it asked for");
      if (bytes) std::memcpy(base + at, data, bytes);
    });
    return 0;
  });
}

// ---- one sample a call: gpuaug/single.py ------------------------------------------------------------------------------------

EXPORT int gpuaug_run(const Record* records, int count, int samples, float* found, int threads);  // cpu/run.cpp

namespace {

// Runs launches of one sample without the interpreter's lock.
int run_one(const Record* records, size_t count, i64 found, int threads) {
  std::vector<float> room(found);
  void* state = PyEval_SaveThread();
  const int failed = gpuaug_run(records, (int)count, 1, room.data(), threads);
  PyEval_RestoreThread(state);
  return failed;
}

// What stands for the caller's memory in a plan that is kept: far from all addresses, and from each other.
const i64 PLACE = (i64)1 << 60;
void relocate(i64& address, i64 source, i64 target) {
  const i64 place = address / PLACE;
  if (place) address += (place == 1 ? source : target) - place * PLACE - PLACE / 2;
}

}  // namespace

// `gpuaug_track_finish`, and the plan is run and forgotten. Returns 0, or 1 where memory ran out.
EXPORT int gpuaug_track_run(void* handle, i64 address, PyObject* stride, int dtype, int threads) {
  const std::unique_ptr<Track> track((Track*)handle);
  return guarded([&] {
    Track& t = track_of(handle);
    if (t.samples != 1) raise(PyExc_ValueError, "a track of %d samples, not of one", t.samples);
    Column<i64> steps(stride, 1, "stride", 3);
    t.finish(&address, steps.all(), dtype, 0);
    std::vector<Record> records;
    for (const Planned& l : t.launches)
      records.push_back({(i64)l.rows.data(), (i64)l.sample.data(), (i64)l.ops.data(), (i64)t.blob.data(), l.kind, l.n(),
                         l.channels, l.source, l.target, (i64)l.ops.size()});
    return run_one(records.data(), records.size(), t.found, threads);
  });
}

// Runs a plan of one sample as `gpuaug_track_export` wrote it, which reads from 3/2 PLACE and writes to 5/2 PLACE, with an image
// and a result elsewhere. The plan stays as it is. Returns 0, or 1 where memory ran out.
EXPORT int gpuaug_replay(PyObject* plan, i64 source, i64 target, int threads) {
  return guarded([&] {
    const Array kept(plan);
    std::vector<i64> words((kept.bytes() + 7) / 8);  // 8-byte aligned, as rows must be
    char* base = (char*)words.data();
    std::memcpy(base, kept.whole<char>(kept.bytes(), "plan"), kept.bytes());
    const Head& head = *(const Head*)base;
    const i64 shift = (i64)base - head.base;
    Record* records = (Record*)(base + sizeof head);
    for (i64 k = 0; k < head.launches; ++k) {
      Record& r = records[k];
      for (i64* part : {&r.rows, &r.sample, &r.ops, &r.blob}) *part += shift;
      for (i64 i = 0; i < r.n; ++i) {
        Ends& ends = *(Ends*)(r.rows + i * KINDS[r.kind].row);
        relocate(ends.src, source, target);
        if (KINDS[r.kind].writes) relocate(ends.dst, source, target);
        if (!KINDS[r.kind].ops) continue;
        const Row& row = (const Row&)ends;
        for (int layer = 0; layer < row.n_layers; ++layer) {
          int* words = (int*)r.blob + row.layers + LAYER_WORDS * layer;
          i64 address;
          std::memcpy(&address, words, sizeof address);
          relocate(address, source, target);
          std::memcpy(words, &address, sizeof address);
        }
      }
    }
    return run_one(records, head.launches, head.found, threads);
  });
}

// ---- plans ----------------------------------------------------------------------------------------------------------------

EXPORT i64 gpuaug_place(const Record* records, int count, int samples, i64 base) {
  return guarded([&] { return place(records, count, samples, base); });
}
