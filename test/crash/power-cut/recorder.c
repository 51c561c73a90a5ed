// Preloaded into a process, records what it does to the files below RECORD_DIRECTORY, in order, into RECORD_FILE:
// creations, writes with their bytes, truncations, renames, removals, and flushes once they have returned.
//
// With FAILING_FLUSH=n the n-th flush of a write-ahead log fails, as a broken disk's does, and is not recorded.
// With FULL_AFTER=n the disk is full after n writes to a write-ahead log.
//
// A record is: type (1 byte), length of the path (u32), offset (u64), length of the data (u32), path, data.
// For a rename the data is the new path; for a truncation the offset is the new length.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDLES 4096

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char *paths[HANDLES];
static const char *directory;
static int out = -1;
static long failing_flush = 0;
static long flushes = 0;
static long full_after = 0;
static long log_writes = 0;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void start(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_rename = dlsym(RTLD_NEXT, "rename");
  directory = getenv("RECORD_DIRECTORY");
  const char *file = getenv("RECORD_FILE");
  const char *failing = getenv("FAILING_FLUSH");
  if (failing != NULL) failing_flush = atol(failing);
  const char *full = getenv("FULL_AFTER");
  if (full != NULL) full_after = atol(full);
  if (directory != NULL && file != NULL) out = real_open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

static void record(char type, const char *path, uint64_t offset, const void *data, uint32_t length) {
  uint32_t path_length = (uint32_t)strlen(path);
  char head[17];
  head[0] = type;
  memcpy(head + 1, &path_length, 4);
  memcpy(head + 5, &offset, 8);
  memcpy(head + 13, &length, 4);
  if (real_write(out, head, 17) != 17 || real_write(out, path, path_length) != (ssize_t)path_length ||
      real_write(out, data, length) != (ssize_t)length) {
    abort();
  }
}

static int is_ours(const char *path) {
  return out != -1 && path != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const char *path_of(int handle) {
  return out != -1 && handle >= 0 && handle < HANDLES ? paths[handle] : NULL;
}

static int open_recorded(const char *path, int flags, mode_t mode) {
  if (!is_ours(path)) return real_open(path, flags, mode);
  pthread_mutex_lock(&turn);
  struct stat found;
  int is_new = stat(path, &found) != 0;
  int handle = real_open(path, flags, mode);
  if (handle >= 0 && handle < HANDLES) {
    free(paths[handle]);
    paths[handle] = strdup(path);
    if (is_new) record('c', path, 0, "", 0);
    else if (flags & O_TRUNC) record('t', path, 0, "", 0);
  }
  pthread_mutex_unlock(&turn);
  return handle;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? (mode_t)va_arg(rest, int) : 0; }

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_recorded(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_recorded(path, flags, mode);
}

int close(int handle) {
  if (path_of(handle) != NULL) {
    pthread_mutex_lock(&turn);
    free(paths[handle]);
    paths[handle] = NULL;
    pthread_mutex_unlock(&turn);
  }
  return real_close(handle);
}

ssize_t write(int handle, const void *data, size_t length) {
  const char *path = path_of(handle);
  if (path == NULL) return real_write(handle, data, length);
  pthread_mutex_lock(&turn);
  ssize_t written = real_write(handle, data, length);
  if (written > 0) record('w', path, (uint64_t)(lseek64(handle, 0, SEEK_CUR) - written), data, (uint32_t)written);
  pthread_mutex_unlock(&turn);
  return written;
}

ssize_t pwrite64(int handle, const void *data, size_t length, off64_t offset) {
  const char *path = path_of(handle);
  if (path == NULL) return real_pwrite(handle, data, length, offset);
  if (full_after > 0 && ends_with(path, "-wal") && ++log_writes > full_after) {
    errno = ENOSPC;
    return -1;
  }
  pthread_mutex_lock(&turn);
  ssize_t written = real_pwrite(handle, data, length, offset);
  if (written > 0) record('w', path, (uint64_t)offset, data, (uint32_t)written);
  pthread_mutex_unlock(&turn);
  return written;
}

ssize_t pwrite(int handle, const void *data, size_t length, off_t offset) {
  return pwrite64(handle, data, length, offset);
}

int ftruncate64(int handle, off64_t length) {
  const char *path = path_of(handle);
  if (path == NULL) return real_ftruncate(handle, length);
  pthread_mutex_lock(&turn);
  int result = real_ftruncate(handle, length);
  if (result == 0) record('t', path, (uint64_t)length, "", 0);
  pthread_mutex_unlock(&turn);
  return result;
}

int ftruncate(int handle, off_t length) { return ftruncate64(handle, length); }

static int flush(int handle, int (*real)(int)) {
  const char *path = path_of(handle);
  if (path != NULL && failing_flush > 0 && ends_with(path, "-wal") && ++flushes == failing_flush) {
    errno = EIO;
    return -1;
  }
  int result = real(handle);
  if (path == NULL || result != 0) return result;
  pthread_mutex_lock(&turn);
  record('s', path, 0, "", 0);
  pthread_mutex_unlock(&turn);
  return result;
}

int fsync(int handle) { return flush(handle, real_fsync); }

int fdatasync(int handle) { return flush(handle, real_fdatasync); }

int unlink(const char *path) {
  if (!is_ours(path)) return real_unlink(path);
  pthread_mutex_lock(&turn);
  int result = real_unlink(path);
  if (result == 0) record('u', path, 0, "", 0);
  pthread_mutex_unlock(&turn);
  return result;
}

int rename(const char *from, const char *to) {
  if (!is_ours(from)) return real_rename(from, to);
  pthread_mutex_lock(&turn);
  int result = real_rename(from, to);
  if (result == 0) record('r', from, 0, to, (uint32_t)strlen(to));
  pthread_mutex_unlock(&turn);
  return result;
}
