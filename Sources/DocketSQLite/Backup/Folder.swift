import Glibc

/// What is asked of folders.
package enum Folder {
  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  /// The folder of a path, with a slash at its end.
  package static func holding(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "./" }
    return String(path[...slash])
  }

  /// Has the names in it on disk.
  package static func sync(_ folder: String) throws(CareError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw .failed(path: folder, reason: DatabasePath.systemError()) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .failed(path: folder, reason: DatabasePath.systemError()) }
  }
}
