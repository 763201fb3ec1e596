// Preloaded into a process, writes down what it writes, syncs, truncates and unlinks in one directory, in order.
//
// BESTEX_RECORD_DIR: the directory. BESTEX_RECORD_LOG: where the record goes. Layout: tests/durability/recording.py.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace {

struct Header {
  char kind;  // w = write, s = sync, t = truncate, u = unlink
  std::uint8_t name_length;
  std::uint16_t pad;
  std::uint32_t length;  // of the data that follows the name
  std::uint64_t offset;  // where it is written; the new size of a truncate
};

std::mutex& order() {
  static std::mutex mutex;
  return mutex;
}

void put(const void* data, std::size_t length) {
  static const int log = static_cast<int>(syscall(SYS_openat, AT_FDCWD, std::getenv("BESTEX_RECORD_LOG"),
                                                  O_WRONLY | O_CREAT | O_APPEND, 0600));
  const char* at = static_cast<const char*>(data);
  while (length > 0) {
    const long done = syscall(SYS_write, log, at, length);
    if (done <= 0) std::abort();  // a record with a hole would prove nothing
    at += done;
    length -= static_cast<std::size_t>(done);
  }
}

// The file's name inside the recorded directory, or nullptr if it is not there.
const char* inside(const char* path) {
  static const char* folder = std::getenv("BESTEX_RECORD_DIR");
  if (folder == nullptr) return nullptr;
  const std::size_t length = std::strlen(folder);
  return std::strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : nullptr;
}

void record(const char* name, char kind, std::uint64_t offset, const void* data, std::size_t length) {
  const Header header{kind, static_cast<std::uint8_t>(std::strlen(name)), 0, static_cast<std::uint32_t>(length), offset};
  put(&header, sizeof header);
  put(name, header.name_length);
  if (length > 0) put(data, length);
}

void record(int file, char kind, std::uint64_t offset, const void* data, std::size_t length) {
  char link[64];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return;
  path[size] = '\0';
  if (const char* name = inside(path)) record(name, kind, offset, data, length);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t written(int file, const void* data, off64_t offset, ssize_t done) {
  if (done > 0) record(file, 'w', static_cast<std::uint64_t>(offset), data, static_cast<std::size_t>(done));
  return done;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int file, const void* data, size_t length, off64_t offset) {
  static auto* const call = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  const std::lock_guard lock(order());
  return written(file, data, offset, call(file, data, length, offset));
}

ssize_t pwrite(int file, const void* data, size_t length, off_t offset) { return pwrite64(file, data, length, offset); }

ssize_t write(int file, const void* data, size_t length) {
  static auto* const call = next<ssize_t(int, const void*, size_t)>("write");
  const std::lock_guard lock(order());
  const off64_t offset = lseek64(file, 0, SEEK_CUR);
  return written(file, data, offset, call(file, data, length));
}

int fsync(int file) {
  static auto* const call = next<int(int)>("fsync");
  const std::lock_guard lock(order());
  const int result = call(file);
  if (result == 0) record(file, 's', 0, nullptr, 0);
  return result;
}

int fdatasync(int file) {
  static auto* const call = next<int(int)>("fdatasync");
  const std::lock_guard lock(order());
  const int result = call(file);
  if (result == 0) record(file, 's', 0, nullptr, 0);
  return result;
}

int ftruncate64(int file, off64_t size) {
  static auto* const call = next<int(int, off64_t)>("ftruncate64");
  const std::lock_guard lock(order());
  const int result = call(file, size);
  if (result == 0) record(file, 't', static_cast<std::uint64_t>(size), nullptr, 0);
  return result;
}

int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int unlink(const char* path) {
  static auto* const call = next<int(const char*)>("unlink");
  const std::lock_guard lock(order());
  const int result = call(path);
  const char* name = inside(path);
  if (result == 0 && name != nullptr) record(name, 'u', 0, nullptr, 0);
  return result;
}
}
