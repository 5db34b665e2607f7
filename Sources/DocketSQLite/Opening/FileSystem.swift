import Glibc

/// What a directory is stored on. SQLite's log needs memory shared by all who have the database open, so it does not
/// work over a network (https://sqlite.org/wal.html, "All processes must be on the same host").
enum FileSystem {
  /// The type of the network file system that a directory lies on; nil on a local one, and where the system does
  /// not tell.
  ///
  /// It is asked of the table of mounts and not of `statfs`, for which all FUSE file systems are one.
  static func networkType(at directory: String) -> String? {
    var status = stat()
    guard stat(directory, &status) == 0, let table = mountTable() else { return nil }
    let device = UInt64(status.st_dev)
    // Source: gnu_dev_major and gnu_dev_minor in glibc's sys/sysmacros.h.
    let major = (device >> 8 & 0xfff) | (device >> 32 & ~0xfff)
    let minor = (device & 0xff) | (device >> 12 & ~0xff)
    guard let type = type(ofDevice: "\(major):\(minor)", mountTable: table) else { return nil }
    return networkTypes.contains(type) ? type : nil
  }

  /// The type of a device, from the text of `/proc/self/mountinfo`, whose lines read
  /// `36 35 98:0 /root /mount/point options … - type source options` (proc(5)).
  static func type(ofDevice device: String, mountTable: String) -> String? {
    for line in mountTable.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
      else { continue }
      return String(fields[dash + 1])
    }
    return nil
  }

  // Not among them: 9p, which virtual machines and sandboxes put under their one and only disk. Where shared memory
  // does not work on it, SQLite refuses to use a log, and that is an error of its own.
  static let networkTypes: Set<String> = [
    "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
    "fuse.ceph", "fuse.cephfs", "fuse.davfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys",
    "fuse.juicefs", "fuse.moosefs", "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs", "fuse.smbnetfs",
    "fuse.sshfs",
  ]

  private static func mountTable() -> String? {
    guard let file = fopen("/proc/self/mountinfo", "re") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += buffer[..<count]
    }
  }
}
