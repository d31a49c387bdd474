import { textsOf } from '../../texts/texts.ts';

export const uploadTexts = textsOf(
  {
    file: 'Export file of Recollect',
    fileHint: 'As "recollect export" or a download above writes it: .ndjson.zst',
    import: 'Import the file',
    started: 'The file is stored; its import has started',
    sent: (bytes: string, all: string) => `${bytes} of ${all} sent. Stay on this tab until the file is stored.`,
    storing: 'All is sent; the server stores the file.',
    cancel: 'Cancel the upload',
    cancelled: 'The upload was cancelled. If the server had received all of it, the list shows the import.',
    interrupted:
      'The connection ended before the server answered. Try again unless the list shows the import of the file.',
    faults: {
      too_large: (most: string) => `The file is larger than ${most}, the most that the server stores.`,
      other_format: 'This is no export file: it is not compressed with Zstandard.',
      unreadable: 'The browser cannot read the file any more: choose it again.',
    },
    exportFileError:
      'The file is no export of Recollect that this instance can import: it is another file, damaged, of a newer version, or of another tenant.',
  },
  {
    file: 'Recollect 的导出文件',
    fileHint: '由 "recollect export" 或上方下载得到:.ndjson.zst',
    import: '导入文件',
    started: '文件已保存,导入已启动',
    sent: (bytes, all) => `已发送 ${bytes},共 ${all}。文件保存之前,请停留在此标签页。`,
    storing: '已全部发送,服务器正在保存文件。',
    cancel: '取消上传',
    cancelled: '上传已取消。如果文件已全部到达,列表会显示其导入。',
    interrupted: '服务器应答之前连接已断开。如果列表中没有该文件的导入,请重试。',
    faults: {
      too_large: (most) => `文件大于 ${most},超出服务器可保存的上限。`,
      other_format: '这不是导出文件:未使用 Zstandard 压缩。',
      unreadable: '浏览器无法再读取该文件,请重新选择。',
    },
    exportFileError: '该文件不是此实例可以导入的 Recollect 导出文件:可能是其他文件、已损坏、版本较新,或属于其他租户。',
  },
);
